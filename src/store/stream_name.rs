//! Names of streams.

/// Returns a new unique name: 128 random bits in hexadecimal.
///
/// # Panics
/// The system's random number generator fails.
pub fn stream_name() -> String {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).expect("the system's random number generator works");
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
