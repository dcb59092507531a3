//! The numbered rows of the contract's "What happens", in its order.

mod broadcasts;
mod ending;
mod login;
mod requests;
