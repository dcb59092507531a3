//! A listener of a scripted server: a pipe, with one instance that waits.

use std::io;
use std::os::windows::io::{AsRawHandle, FromRawHandle, OwnedHandle};
use std::ptr;

use tokio::net::windows::named_pipe::{NamedPipeServer, ServerOptions};
use windows_sys::Win32::Foundation::HANDLE;
use windows_sys::Win32::Security::{
    GetTokenInformation, InitializeSecurityDescriptor, SECURITY_ATTRIBUTES, SECURITY_DESCRIPTOR,
    SetSecurityDescriptorOwner, TOKEN_QUERY, TOKEN_USER, TokenUser,
};
use windows_sys::Win32::System::Threading::{GetCurrentProcess, OpenProcessToken};
use windows_sys::core::BOOL;

/// The version that InitializeSecurityDescriptor takes.
const SECURITY_DESCRIPTOR_REVISION: u32 = 1;

pub(crate) type Accepted = NamedPipeServer;

pub(crate) struct TestListener {
    path: String,
    waiting: NamedPipeServer,
}

impl TestListener {
    pub(crate) fn open(endpoint: &str) -> TestListener {
        let name = endpoint.strip_prefix("pipe:").expect("it is a pipe");
        let path = format!(r"\\.\pipe\{name}");
        let waiting = instance(&path).expect("it can be made");
        TestListener { path, waiting }
    }

    pub(crate) async fn accept(&mut self) -> Accepted {
        self.waiting.connect().await.expect("it connects");
        let next = instance(&self.path);
        std::mem::replace(&mut self.waiting, next.expect("it can be made"))
    }
}

/// Makes an instance whose owner is this process's user, as arauto's server does: a client
/// looks at the owner before it sends its password. The default is the token's default owner,
/// which may be a group; under Wine there is none.
#[expect(unsafe_code, reason = "tokio sets no owner")]
fn instance(path: &str) -> io::Result<NamedPipeServer> {
    let user = own_user()?;
    let mut descriptor = SECURITY_DESCRIPTOR::default();
    let place = (&raw mut descriptor).cast();
    let mut attributes = SECURITY_ATTRIBUTES {
        nLength: size_of::<SECURITY_ATTRIBUTES>() as u32,
        lpSecurityDescriptor: place,
        bInheritHandle: 0,
    };
    // SAFETY: `user` holds a TOKEN_USER, aligned, whose SID is in it; it, the descriptor and
    // the attributes live until the pipe is made.
    unsafe {
        let sid = (*user.as_ptr().cast::<TOKEN_USER>()).User.Sid;
        checked(InitializeSecurityDescriptor(
            place,
            SECURITY_DESCRIPTOR_REVISION,
        ))?;
        checked(SetSecurityDescriptorOwner(place, sid, 0))?;
        let attributes = (&raw mut attributes).cast();
        ServerOptions::new().create_with_security_attributes_raw(path, attributes)
    }
}

/// This process's TOKEN_USER, in words for its alignment.
#[expect(unsafe_code, reason = "no crate tells a process's user")]
fn own_user() -> io::Result<Vec<usize>> {
    let mut token: HANDLE = ptr::null_mut();
    // SAFETY: the handle stands for this process, and the token's place is ours.
    checked(unsafe { OpenProcessToken(GetCurrentProcess(), TOKEN_QUERY, &mut token) })?;
    // SAFETY: the handle was opened just above, and has no other owner.
    let token = unsafe { OwnedHandle::from_raw_handle(token) };
    let mut user = vec![0_usize; 64]; // more than the longest SID needs
    let (place, mut length) = (user.as_mut_ptr().cast(), size_of_val(&user[..]) as u32);
    // SAFETY: there are `length` bytes for it.
    checked(unsafe {
        GetTokenInformation(token.as_raw_handle(), TokenUser, place, length, &mut length)
    })?;
    Ok(user)
}

fn checked(done: BOOL) -> io::Result<()> {
    match done {
        0 => Err(io::Error::last_os_error()),
        _ => Ok(()),
    }
}
