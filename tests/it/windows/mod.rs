//! Windows only: instances and their limit, handles, security descriptors, the peer's process and
//! account, services, Win32 programs.

mod identity;
mod instances;
mod security;
mod service;
mod stop;
mod win32;

/// Returns whether the tests run under Wine, as tests/windows.sh says.
fn is_wine() -> bool {
    std::env::var_os("ARAUTO_WINE_READY").is_some()
}
