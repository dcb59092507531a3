//! Names for streams.

/// Makes a name that no other stream has: 128 random bits.
///
/// # Panics
/// The system has no randomness to give.
pub fn stream_name() -> String {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).expect("the system has randomness to give at the start");
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
