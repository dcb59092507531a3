//! The behaviour that the contract's section "What happens" defines, in the order of its rows.

mod broadcasts;
mod ending;
mod login;
mod requests;
