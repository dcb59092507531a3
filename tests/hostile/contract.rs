//! Checks nothing: tests/it checks that frames follow the schema.

use crate::support::Frame;

pub fn client_sends(_: &Frame) {}

pub fn server_sends(_: &Frame, _: &[u8]) {}
