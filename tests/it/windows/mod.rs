//! Windows only: instances and their limit, handles, security descriptors, the peer's process and
//! account, Win32 programs.

mod identity;
mod instances;
mod security;
mod stop;
mod win32;
