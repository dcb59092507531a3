//! What only Windows has: instances and their limit, handles, security descriptors,
//! who is at the other end by process id and account, bare Win32 programs.

mod identity;
mod instances;
mod security;
mod stop;
mod win32;
