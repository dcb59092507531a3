//! Security descriptors and SIDs: the users that may open a pipe, and this process's user.
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
    ConvertSidToStringSidW, ConvertStringSecurityDescriptorToSecurityDescriptorW, GetSecurityInfo,
    SDDL_REVISION_1, SE_KERNEL_OBJECT, SE_OBJECT_TYPE,
};
use windows_sys::Win32::Security::{
    GetTokenInformation, LookupAccountNameW, LookupAccountSidW, OWNER_SECURITY_INFORMATION,
    PSECURITY_DESCRIPTOR, PSID, RevertToSelf, TOKEN_QUERY, TOKEN_USER, TokenUser,
};
use windows_sys::Win32::System::Pipes::ImpersonateNamedPipeClient;
use windows_sys::Win32::System::Threading::{
    GetCurrentProcess, GetCurrentThread, OpenProcessToken, OpenThreadToken,
};

use super::names::{code, wide};
use crate::framing::Framing;
use crate::transport::{Access, LocalUser};

/// The rights to read, and to write data and attributes: all that a client needs. Without
/// FILE_CREATE_PIPE_INSTANCE, which GENERIC_WRITE includes, it cannot answer other clients in the
/// server's place.
const READ_AND_WRITE: &str = "0x12019b";

/// The rights for raw clients, which open with GENERIC_WRITE. They send no password.
const GENERIC: &str = "GRGW";

/// A security descriptor.
#[derive(Debug)]
pub(super) struct Descriptor(*mut c_void);

// SAFETY: nobody writes to it after it was made.
#[expect(unsafe_code, reason = "it is a pointer")]
unsafe impl Send for Descriptor {}

impl Descriptor {
    /// Returns the descriptor of a pipe that is open to `access`.
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
        // SAFETY: the text ends in NUL, and the descriptor's variable is ours.
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
    // Nothing is inherited (P); SYSTEM, and the server's own user. The owner (O) is that user,
    // and no group, so that clients can tell whose pipe it is.
    let own = own_sid()?;
    let mut sddl = format!("O:{own}D:P(A;;GA;;;SY)(A;;GA;;;{own})");
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

/// Returns the SID of this process's user.
pub(super) fn own_sid() -> io::Result<&'static str> {
    match own_user()? {
        LocalUser::Sid { sid, .. } => Ok(sid),
        LocalUser::Uid(_) => unreachable!("windows has SIDs"),
    }
}

/// Returns the user that this process acts as, where the system tells it.
pub(in crate::transport) fn current_user() -> Option<LocalUser> {
    own_user().ok().cloned()
}

/// Returns this process's user.
fn own_user() -> io::Result<&'static LocalUser> {
    static OWN: OnceLock<LocalUser> = OnceLock::new();
    if let Some(known) = OWN.get() {
        return Ok(known);
    }
    #[expect(unsafe_code, reason = "it has no argument and cannot fail")]
    // SAFETY: as the reason says; the handle stands for this process and is not closed.
    let process = unsafe { BorrowedHandle::borrow_raw(GetCurrentProcess()) };
    let user = user_of_process(process)?;
    Ok(OWN.get_or_init(|| user))
}

/// Returns the user of the client of a pipe, seen from the server's end: that of the token that
/// the client opened the pipe with. A process id would not do, as another process may have got
/// it since.
///
/// Windows allows this only once something was read from the pipe
/// (ERROR_CANNOT_IMPERSONATE before that); Wine allows it always.
///
/// # Errors
/// Nothing was read yet, or the client does not let servers see who it is
/// (SECURITY_ANONYMOUS).
#[expect(unsafe_code, reason = "no crate tells a pipe's client")]
pub(super) fn user_of_client(pipe: BorrowedHandle<'_>) -> io::Result<LocalUser> {
    // SAFETY: the handle is open. Nothing else runs on this thread before it reverts.
    if unsafe { ImpersonateNamedPipeClient(pipe.as_raw_handle()) } == 0 {
        return Err(io::Error::last_os_error());
    }
    let mut token: HANDLE = ptr::null_mut();
    // SAFETY: the pseudo handle is this thread's, and the token's variable is ours. It is
    // opened as this process (1), which the client's token need not allow.
    let opened = unsafe { OpenThreadToken(GetCurrentThread(), TOKEN_QUERY, 1, &mut token) };
    let error = io::Error::last_os_error();
    // SAFETY: it has no argument.
    if unsafe { RevertToSelf() } == 0 {
        // A thread that impersonates its client must do nothing more.
        tracing::error!(error = %io::Error::last_os_error(), "impersonation of a client not ended");
        std::process::abort();
    }
    if opened == 0 {
        return Err(error);
    }
    // SAFETY: it was opened just now, and nobody else has it.
    user_of_token(&unsafe { OwnedHandle::from_raw_handle(token) })
}

/// Returns the user that has created a pipe: the owner in its security descriptor, which no user
/// can set to another.
pub(super) fn owner_of_pipe(pipe: BorrowedHandle<'_>) -> io::Result<LocalUser> {
    owner(pipe, SE_KERNEL_OBJECT)
}

/// Returns the owner in an object's security descriptor.
#[expect(unsafe_code, reason = "std knows no owners")]
pub(super) fn owner(object: BorrowedHandle<'_>, kind: SE_OBJECT_TYPE) -> io::Result<LocalUser> {
    let (mut owner, mut descriptor): (PSID, PSECURITY_DESCRIPTOR) =
        (ptr::null_mut(), ptr::null_mut());
    // SAFETY: the handle is open, both variables are ours, and nothing else is asked for.
    let error = unsafe {
        GetSecurityInfo(
            object.as_raw_handle(),
            kind,
            OWNER_SECURITY_INFORMATION,
            &mut owner,
            ptr::null_mut(),
            ptr::null_mut(),
            ptr::null_mut(),
            &mut descriptor,
        )
    };
    if error != 0 {
        return Err(io::Error::from_raw_os_error(error.cast_signed()));
    }
    // SAFETY: the owner is part of the descriptor, which is freed once, after its last use.
    unsafe {
        let user = match owner.is_null() {
            true => Err(io::Error::new(io::ErrorKind::NotFound, "it has no owner")),
            false => user_of_sid(owner),
        };
        LocalFree(descriptor);
        user
    }
}

/// Returns a user by name, or by SID.
///
/// # Errors
/// The reason, as a clause, and what to do.
pub(in crate::transport) fn find_user(name: &str) -> Result<LocalUser, String> {
    let sid = match name.starts_with("S-1-") {
        true => name.to_owned(),
        false => account(name).map_err(|error| format!("{error}; give the name or the SID"))?,
    };
    let name = name.to_owned();
    Ok(LocalUser::Sid { sid, name })
}

#[expect(unsafe_code, reason = "no crate tells a process's user")]
fn user_of_process(process: BorrowedHandle<'_>) -> io::Result<LocalUser> {
    let mut token: HANDLE = ptr::null_mut();
    // SAFETY: the process is open, and the token's variable is ours.
    if unsafe { OpenProcessToken(process.as_raw_handle(), TOKEN_QUERY, &mut token) } == 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: it was opened just now, and nobody else has it.
    user_of_token(&unsafe { OwnedHandle::from_raw_handle(token) })
}

#[expect(unsafe_code, reason = "no crate tells a token's user")]
fn user_of_token(token: &OwnedHandle) -> io::Result<LocalUser> {
    let mut length = 0;
    let handle = token.as_raw_handle();
    // SAFETY: no room is given, so that nothing is written but the length needed.
    unsafe { GetTokenInformation(handle, TokenUser, ptr::null_mut(), 0, &mut length) };
    // Words, for the alignment of TOKEN_USER.
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
    unsafe { user_of_sid((*user.as_ptr().cast::<TOKEN_USER>()).User.Sid) }
}

/// # Safety
/// `sid` points to a SID.
#[expect(unsafe_code, reason = "it is a pointer")]
unsafe fn user_of_sid(sid: PSID) -> io::Result<LocalUser> {
    // SAFETY: the caller's promise, and the text is that of this SID.
    unsafe {
        let text = sid_text(sid)?;
        let name = known_name(&text, sid);
        Ok(LocalUser::Sid { sid: text, name })
    }
}

/// Returns the name of the account with this SID. The system is asked once for each: for an
/// account of a domain it may ask another host.
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
    const LONGEST_NAME: usize = 256; // more than an account's and a domain's name may have
    let (mut name, mut domain) = ([0_u16; LONGEST_NAME], [0_u16; LONGEST_NAME]);
    let (mut name_length, mut domain_length, mut kind) =
        (LONGEST_NAME as u32, LONGEST_NAME as u32, 0);
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

/// Returns the SID of an account or group of this machine or its domain, as text.
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
    if code(&error) != Some(ERROR_INSUFFICIENT_BUFFER) {
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

/// Returns the text of a SID.
///
/// # Safety
/// `sid` points to a SID.
#[expect(unsafe_code, reason = "no crate writes a SID as text")]
unsafe fn sid_text(sid: PSID) -> io::Result<String> {
    let mut text: *mut u16 = ptr::null_mut();
    // SAFETY: the caller's promise; the text's variable is ours.
    if unsafe { ConvertSidToStringSidW(sid, &mut text) } == 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the system has put a text there that ends in NUL, and nothing else frees it.
    Ok(unsafe { take_text(text) })
}

/// Copies a text of the system, and frees it as the system says.
///
/// # Safety
/// `text` ends in NUL, was allocated by LocalAlloc, and is not used afterwards.
#[expect(unsafe_code, reason = "it is a pointer")]
pub(super) unsafe fn take_text(text: *mut u16) -> String {
    // SAFETY: the caller's promise.
    unsafe {
        let length = (0..).take_while(|&at| *text.add(at) != 0).count();
        let copy = String::from_utf16_lossy(std::slice::from_raw_parts(text, length));
        LocalFree(text.cast());
        copy
    }
}
