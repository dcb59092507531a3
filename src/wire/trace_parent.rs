//! The header `traceparent` (W3C Trace Context, 21 November 2023, section 3.2).
//!
//! The server passes it on as it passes every header on: unchanged, also where it is not valid. A valid
//! one is put into the fields of log records.

use super::Headers;

/// The identity of a trace and of a span in it, as a valid header `traceparent` names them.
///
/// ```
/// use arauto::Headers;
/// use arauto::wire::TraceParent;
///
/// let mut headers = Headers::default();
/// headers.push("traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01");
/// let parent = TraceParent::of(&headers).expect("it is valid");
/// assert_eq!(parent.trace_id(), "4bf92f3577b34da6a3ce929d0e0e4736");
/// assert_eq!(parent.span_id(), "00f067aa0ba902b7");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct TraceParent {
    /// Lower-case hexadecimal digits, which are ASCII.
    trace_id: [u8; 32],
    span_id: [u8; 16],
}

impl TraceParent {
    /// The header's name.
    pub const HEADER: &'static str = "traceparent";

    /// Returns what the header among these names; `None` if there is none, or if it is not valid.
    pub fn of(headers: &Headers<'_>) -> Option<TraceParent> {
        TraceParent::parse(headers.get(TraceParent::HEADER)?)
    }

    /// Returns what the value of the header names; `None` if it is not valid. A version above 00 may have
    /// more behind the fields of version 00.
    pub fn parse(value: &str) -> Option<TraceParent> {
        let bytes = value.as_bytes();
        let (head, rest) = bytes.split_first_chunk::<55>()?;
        let fields = [&head[..2], &head[3..35], &head[36..52], &head[53..]];
        let is_separated = [head[2], head[35], head[52]]
            .iter()
            .all(|byte| *byte == b'-');
        let is_hex = |byte: &u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
        if !is_separated || !fields.iter().all(|field| field.iter().all(is_hex)) {
            return None;
        }
        let ends_well = match fields[0] {
            b"ff" => false,
            b"00" => rest.is_empty(),
            _ => {
                rest.first().is_none_or(|byte| *byte == b'-')
                    && rest.iter().all(u8::is_ascii_graphic)
            }
        };
        let parent = TraceParent {
            trace_id: fields[1].try_into().ok()?,
            span_id: fields[2].try_into().ok()?,
        };
        let is_zero = |id: &[u8]| id.iter().all(|digit| *digit == b'0');
        let has_ids = !is_zero(&parent.trace_id) && !is_zero(&parent.span_id);
        (ends_well && has_ids).then_some(parent)
    }

    /// Returns the trace's id: 32 hexadecimal digits.
    pub fn trace_id(&self) -> &str {
        str::from_utf8(&self.trace_id).expect("the digits are ASCII")
    }

    /// Returns the id of the sender's span: 16 hexadecimal digits.
    pub fn span_id(&self) -> &str {
        str::from_utf8(&self.span_id).expect("the digits are ASCII")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
    const SPAN: &str = "00f067aa0ba902b7";

    fn is_valid(value: &str) -> bool {
        TraceParent::parse(value).is_some()
    }

    #[test]
    fn valid_header_has_its_ids() {
        let parent = TraceParent::parse(&format!("00-{TRACE}-{SPAN}-01")).expect("it is valid");
        assert_eq!((parent.trace_id(), parent.span_id()), (TRACE, SPAN));
    }

    #[test]
    fn later_version_may_have_more_fields() {
        assert!(is_valid(&format!("01-{TRACE}-{SPAN}-00")));
        assert!(is_valid(&format!(
            "cc-{TRACE}-{SPAN}-01-what-the-future-holds"
        )));
        assert!(!is_valid(&format!("cc-{TRACE}-{SPAN}-01.what")));
        assert!(!is_valid(&format!("cc-{TRACE}-{SPAN}-01-a b")));
        assert!(!is_valid(&format!("cc-{TRACE}-{SPAN}-01-\0")));
    }

    #[test]
    fn header_that_breaks_a_rule_is_not_valid() {
        let zeros = "0".repeat(32);
        for wrong in [
            String::new(),
            format!("00-{TRACE}-{SPAN}"),
            format!("00-{TRACE}-{SPAN}-1"),
            format!("00-{TRACE}-{SPAN}-01-"),
            format!("00-{TRACE}-{SPAN}-01 "),
            format!(" 00-{TRACE}-{SPAN}-01"),
            format!("ff-{TRACE}-{SPAN}-01"),
            format!("0-{TRACE}-{SPAN}-011"),
            format!("00-{}-{SPAN}-01", TRACE.to_uppercase()),
            format!("00-{TRACE}-{SPAN}-0G"),
            format!("00-{zeros}-{SPAN}-01"),
            format!("00-{TRACE}-{}-01", &zeros[..16]),
            format!("00_{TRACE}_{SPAN}_01"),
            "é".repeat(28),
        ] {
            assert!(!is_valid(&wrong), "{wrong:?}");
        }
    }

    #[test]
    fn other_headers_are_not_looked_at() {
        let mut headers = Headers::default();
        assert_eq!(TraceParent::of(&headers), None);
        headers.push("Traceparent", format!("00-{TRACE}-{SPAN}-01"));
        assert_eq!(
            TraceParent::of(&headers),
            None,
            "names are compared exactly"
        );
        headers.push("traceparent", "no trace");
        assert_eq!(TraceParent::of(&headers), None);
    }
}
