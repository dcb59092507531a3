//! Who may open a pipe, and who this process is: security descriptors and SIDs.
//!
//! Descriptors are written in the security descriptor definition language (SDDL,
//! "Security Descriptor String Format" in the Win32 documentation).

use std::ffi::{OsStr, c_void};
use std::io;
use std::os::windows::io::{AsRawHandle, BorrowedHandle, FromRawHandle, OwnedHandle};
use std::ptr;
use std::sync::OnceLock;

use parking_lot::Mutex;
use windows_sys::Win32::Foundation::{ERROR_INSUFFICIENT_BUFFER, HANDLE, LocalFree};
use windows_sys::Win32::Security::Authorization::{
    ConvertSidToStringSidW, ConvertStringSecurityDescriptorToSecurityDescriptorW, SDDL_REVISION_1,
};
use windows_sys::Win32::Security::{
    GetTokenInformation, LookupAccountNameW, LookupAccountSidW, PSID, TOKEN_QUERY, TOKEN_USER,
    TokenUser,
};
use windows_sys::Win32::System::Threading::{
    GetCurrentProcess, OpenProcess, OpenProcessToken, PROCESS_QUERY_LIMITED_INFORMATION,
};

use super::instance::wide;
use crate::framing::Framing;
use crate::transport::{Access, LocalUser};

/// To read, and to write data and attributes: all that a client needs, and not
/// FILE_CREATE_PIPE_INSTANCE, with which it could answer other clients in the
/// server's place. GENERIC_WRITE would bring that along.
const READ_AND_WRITE: &str = "0x12019b";

/// The same for programs that know nothing of this, and open with GENERIC_WRITE. They
/// tell no password.
const GENERIC: &str = "GRGW";

/// A security descriptor.
#[derive(Debug)]
pub(super) struct Descriptor(*mut c_void);

// SAFETY: nobody writes to it after it was made.
#[expect(unsafe_code, reason = "it is a pointer")]
unsafe impl Send for Descriptor {}

impl Descriptor {
    /// The descriptor of a pipe that `access` may open.
    ///
    /// # Errors
    /// There is no such group.
    pub(super) fn of(access: &Access, framing: Framing) -> io::Result<Descriptor> {
        Descriptor::from_sddl(&sddl(access, framing)?)
    }

    #[expect(unsafe_code, reason = "no crate reads SDDL")]
    pub(super) fn from_sddl(sddl: &str) -> io::Result<Descriptor> {
        let sddl = wide(OsStr::new(sddl));
        let mut descriptor = ptr::null_mut();
        // SAFETY: the text ends in NUL, and the descriptor's place is ours.
        let made = unsafe {
            ConvertStringSecurityDescriptorToSecurityDescriptorW(
                sddl.as_ptr(),
                SDDL_REVISION_1,
                &mut descriptor,
                ptr::null_mut(),
            )
        };
        if made == 0 {
            return Err(io::Error::last_os_error());
        }
        Ok(Descriptor(descriptor))
    }

    pub(super) fn as_ptr(&self) -> *mut c_void {
        self.0
    }
}

impl Drop for Descriptor {
    #[expect(unsafe_code, reason = "the system has allocated it")]
    fn drop(&mut self) {
        // SAFETY: it came from the system, which says to free it like this, once.
        unsafe { LocalFree(self.0) };
    }
}

fn sddl(access: &Access, framing: Framing) -> io::Result<String> {
    // Nothing is inherited (P); SYSTEM, and the server's own user.
    let own = own_sid()?;
    let mut sddl = format!("D:P(A;;GA;;;SY)(A;;GA;;;{own})");
    let rights = match framing {
        Framing::Stream => READ_AND_WRITE,
        Framing::Messages => GENERIC,
    };
    let others = match access {
        Access::Owner => return Ok(sddl),
        Access::Group(name) => account(name)?,
        Access::Everyone => "WD".to_owned(),
    };
    sddl.push_str(&format!("(A;;{rights};;;{others})"));
    Ok(sddl)
}

/// This process's user, as SDDL names one.
pub(super) fn own_sid() -> io::Result<&'static str> {
    match own_user()? {
        LocalUser::Sid { sid, .. } => Ok(sid),
        LocalUser::Uid(_) => unreachable!("windows has SIDs"),
    }
}

/// This process's user.
pub(super) fn own_user() -> io::Result<&'static LocalUser> {
    static OWN: OnceLock<LocalUser> = OnceLock::new();
    if let Some(known) = OWN.get() {
        return Ok(known);
    }
    #[expect(unsafe_code, reason = "it has no argument and cannot fail")]
    // SAFETY: as the reason says; the handle stands for this process and is not closed.
    let process = unsafe { BorrowedHandle::borrow_raw(GetCurrentProcess()) };
    let user = user_of(process)?;
    Ok(OWN.get_or_init(|| user))
}

/// A process's user.
///
/// # Errors
/// It has ended, or is not for us to look at.
#[expect(unsafe_code, reason = "no crate tells a process's user")]
pub(super) fn user_of_process(pid: u32) -> io::Result<LocalUser> {
    // SAFETY: nothing is passed by address.
    let process = unsafe { OpenProcess(PROCESS_QUERY_LIMITED_INFORMATION, 0, pid) };
    if process.is_null() {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: it was opened just now, and nobody else has it.
    let process = unsafe { OwnedHandle::from_raw_handle(process) };
    // SAFETY: it lives until the end of this function.
    user_of(unsafe { BorrowedHandle::borrow_raw(process.as_raw_handle()) })
}

#[expect(unsafe_code, reason = "no crate tells a process's user")]
fn user_of(process: BorrowedHandle<'_>) -> io::Result<LocalUser> {
    let mut token: HANDLE = ptr::null_mut();
    // SAFETY: the process is open, and the token's place is ours.
    if unsafe { OpenProcessToken(process.as_raw_handle(), TOKEN_QUERY, &mut token) } == 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: it was opened just now, and nobody else has it.
    let token = unsafe { OwnedHandle::from_raw_handle(token) };
    let mut length = 0;
    let handle = token.as_raw_handle();
    // SAFETY: no room is given, so that nothing is written but the length needed.
    unsafe { GetTokenInformation(handle, TokenUser, ptr::null_mut(), 0, &mut length) };
    // Of words, for its alignment.
    let mut user = vec![0_usize; (length as usize).div_ceil(size_of::<usize>())];
    // SAFETY: there are `length` bytes for it.
    let told = unsafe {
        let place = user.as_mut_ptr().cast();
        GetTokenInformation(handle, TokenUser, place, length, &mut length)
    };
    if told == 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the system has put a TOKEN_USER there, aligned; its SID is in `user`.
    unsafe {
        let sid = (*user.as_ptr().cast::<TOKEN_USER>()).User.Sid;
        let text = sid_text(sid)?;
        let name = known_name(&text, sid);
        Ok(LocalUser::Sid { sid: text, name })
    }
}

/// The name of the account with this SID. Asked of the system once: for an account of
/// a domain it may ask another host.
///
/// # Safety
/// `sid` points to a SID, whose text `text` is.
#[expect(unsafe_code, reason = "no crate tells an account's name")]
unsafe fn known_name(text: &str, sid: PSID) -> String {
    static NAMES: Mutex<Vec<(String, String)>> = Mutex::new(Vec::new());
    let mut names = NAMES.lock();
    if let Some((_, name)) = names.iter().find(|(known, _)| known == text) {
        return name.clone();
    }
    // SAFETY: the caller's promise.
    let name = unsafe { account_name(sid) }.unwrap_or_else(|| text.to_owned());
    names.push((text.to_owned(), name.clone()));
    name
}

/// # Safety
/// `sid` points to a SID.
#[expect(unsafe_code, reason = "no crate tells an account's name")]
unsafe fn account_name(sid: PSID) -> Option<String> {
    const ROOM: usize = 256; // more than an account's and a domain's name may have
    let (mut name, mut domain) = ([0_u16; ROOM], [0_u16; ROOM]);
    let (mut name_length, mut domain_length, mut kind) = (ROOM as u32, ROOM as u32, 0);
    // SAFETY: the caller's promise; each place has the length that is told with it.
    let found = unsafe {
        LookupAccountSidW(
            ptr::null(),
            sid,
            name.as_mut_ptr(),
            &mut name_length,
            domain.as_mut_ptr(),
            &mut domain_length,
            &mut kind,
        )
    };
    let text = |text: &[u16], length: u32| String::from_utf16_lossy(&text[..length as usize]);
    (found != 0).then(|| {
        let (domain, name) = (text(&domain, domain_length), text(&name, name_length));
        format!("{domain}\\{name}")
    })
}

/// The SID of an account or group of this machine or its domain, as text.
#[expect(unsafe_code, reason = "no crate tells an account's SID")]
fn account(name: &str) -> io::Result<String> {
    let name = wide(OsStr::new(name));
    let (mut sid_length, mut domain_length, mut kind) = (0, 0, 0);
    let mut look_up =
        |sid: PSID, domain: *mut u16, sid_length: &mut u32, domain_length: &mut u32| {
            // SAFETY: the name ends in NUL; each place has the length that is told with it.
            unsafe {
                LookupAccountNameW(
                    ptr::null(),
                    name.as_ptr(),
                    sid,
                    sid_length,
                    domain,
                    domain_length,
                    &mut kind,
                )
            }
        };
    look_up(
        ptr::null_mut(),
        ptr::null_mut(),
        &mut sid_length,
        &mut domain_length,
    );
    let error = io::Error::last_os_error();
    if error.raw_os_error().map(i32::cast_unsigned) != Some(ERROR_INSUFFICIENT_BUFFER) {
        return Err(error);
    }
    let mut sid = vec![0_usize; (sid_length as usize).div_ceil(size_of::<usize>())];
    let mut domain = vec![0_u16; domain_length as usize];
    let place = sid.as_mut_ptr().cast();
    if look_up(
        place,
        domain.as_mut_ptr(),
        &mut sid_length,
        &mut domain_length,
    ) == 0
    {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the system has put a SID there.
    unsafe { sid_text(place) }
}

/// The text of a SID.
///
/// # Safety
/// `sid` points to a SID.
#[expect(unsafe_code, reason = "no crate writes a SID as text")]
pub(super) unsafe fn sid_text(sid: PSID) -> io::Result<String> {
    let mut text: *mut u16 = ptr::null_mut();
    // SAFETY: the caller's promise; the text's place is ours.
    if unsafe { ConvertSidToStringSidW(sid, &mut text) } == 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the system has put a text there that ends in NUL, and says to free it
    // like this.
    unsafe {
        let length = (0..).take_while(|&at| *text.add(at) != 0).count();
        let copy = String::from_utf16_lossy(std::slice::from_raw_parts(text, length));
        LocalFree(text.cast());
        Ok(copy)
    }
}
