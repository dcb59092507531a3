//! A closed loop: so many requests on their way, and another for each that is answered.

use super::error::Error;

/// The requests of one client.
#[derive(Debug, Clone, Copy)]
pub struct Window {
    total: u64,
    in_flight: u64,
    answered: u64,
}

impl Window {
    /// Creates the window of a client that sends `total` requests, with `in_flight` of them
    /// unanswered at a time.
    pub fn new(total: u64, in_flight: usize) -> Window {
        Window {
            total,
            in_flight: in_flight as u64,
            answered: 0,
        }
    }

    /// Returns how many requests are to be sent by now, counted from the beginning.
    pub fn due(&self) -> u64 {
        self.total.min(self.answered + self.in_flight)
    }

    /// Notes that `answered` requests of the `sent` ones have been answered by now, both
    /// counted from the beginning.
    ///
    /// # Errors
    /// There are more answers than requests.
    pub fn set_answered(&mut self, answered: u64, sent: u64) -> Result<(), Error> {
        if answered > sent {
            let message = format!("{answered} replies came to {sent} requests");
            return Err(Error::Protocol(message));
        }
        self.answered = answered;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn window_moves_with_the_answers_up_to_the_total() {
        let mut window = Window::new(5, 3);
        assert_eq!(window.due(), 3);
        window.set_answered(1, 3).expect("three were sent");
        assert_eq!(window.due(), 4);
        window.set_answered(4, 4).expect("four were sent");
        assert_eq!(window.due(), 5);
        assert!(window.set_answered(6, 5).is_err());
    }
}
