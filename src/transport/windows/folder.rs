//! Folders that are their owner's alone.
//!
//! A folder is created with its access list, so there is no moment at which others get in.
//! Files and folders that are created in it later inherit the list.
//!
//! The data folder of the service `arauto` is also open to the group Administrators, whose members
//! manage its accounts with `arauto users`. Their commands leave the service's access as it is.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::windows::fs::OpenOptionsExt;
use std::os::windows::io::{AsHandle, AsRawHandle};
use std::path::Path;
use std::ptr;

use windows_sys::Win32::Foundation::{ERROR_ALREADY_EXISTS, GENERIC_READ, LocalFree};
use windows_sys::Win32::Security::Authorization::{
    ConvertSecurityDescriptorToStringSecurityDescriptorW, GetSecurityInfo, SDDL_REVISION_1,
    SE_FILE_OBJECT, SetSecurityInfo,
};
use windows_sys::Win32::Security::{
    ACL, DACL_SECURITY_INFORMATION, GetSecurityDescriptorDacl, PROTECTED_DACL_SECURITY_INFORMATION,
    PSECURITY_DESCRIPTOR, SECURITY_ATTRIBUTES,
};
use windows_sys::Win32::Storage::FileSystem::{
    CreateDirectoryW, FILE_FLAG_BACKUP_SEMANTICS, FILE_FLAG_OPEN_REPARSE_POINT, READ_CONTROL,
    WRITE_DAC,
};

use super::names::wide;
use super::security::{Descriptor, own_sid, owner, take_text};
use crate::transport::local_user::SERVICE_SID;

/// SYSTEM, the group Administrators and the service. No list keeps the first two out, and the group
/// owns what its members make. The service owns a data folder that it has made itself.
const TRUSTED_SIDS: [&str; 3] = ["S-1-5-18", "S-1-5-32-544", SERVICE_SID];

/// Creates the folder, or restricts an existing one: its owner and SYSTEM may do anything in
/// it, others nothing, and it inherits nothing from above. The folder of the service stays the
/// service's.
///
/// # Errors
/// The folder is a link or belongs to another user, or the system refuses.
pub(in crate::transport) fn make_private_folder(path: &Path) -> io::Result<()> {
    let own = own_sid()?;
    let new = match own == SERVICE_SID {
        true => list_for_service(),
        false => list_for(own),
    };
    make_parent(path)?;
    if create(path, &Descriptor::from_sddl(&new)?)? {
        return Ok(());
    }
    let folder = open_own(path, own)?;
    let list = match list_of(&folder)?.contains(SERVICE_SID) {
        true => list_for_service(),
        false => new,
    };
    restrict(&folder, &Descriptor::from_sddl(&list)?)
}

/// Creates the folder of the service `arauto`, or restricts an existing one: the service, SYSTEM
/// and the group Administrators may do anything in it, others nothing. The owner of a new one is the
/// group.
///
/// # Errors
/// The folder is a link or belongs to another user, or the system refuses.
pub(in crate::transport) fn make_service_folder(path: &Path) -> io::Result<()> {
    let list = list_for_service();
    make_parent(path)?;
    if create(path, &Descriptor::from_sddl(&format!("O:BA{list}"))?)? {
        return Ok(());
    }
    restrict(&open_own(path, own_sid()?)?, &Descriptor::from_sddl(&list)?)
}

/// Returns the access list of a folder that is this user's alone. Files and folders in it inherit
/// the list (OICI).
fn list_for(own: &str) -> String {
    format!("D:P(A;OICI;FA;;;SY)(A;OICI;FA;;;{own})")
}

/// Returns the access list of the service's folder.
fn list_for_service() -> String {
    format!("D:P(A;OICI;FA;;;SY)(A;OICI;FA;;;BA)(A;OICI;FA;;;{SERVICE_SID})")
}

fn make_parent(path: &Path) -> io::Result<()> {
    match path.parent() {
        Some(parent) => std::fs::create_dir_all(parent),
        None => Ok(()),
    }
}

/// Opens an existing folder, and checks that its owner is this user or a trusted one.
fn open_own(path: &Path, own: &str) -> io::Result<File> {
    let folder = open(path)?;
    if folder.metadata()?.is_symlink() {
        let problem = "it is a symbolic link: pass its target";
        return Err(io::Error::new(io::ErrorKind::InvalidInput, problem));
    }
    let owner = owner(folder.as_handle(), SE_FILE_OBJECT)?;
    let sid = owner.id();
    if sid != own && !TRUSTED_SIDS.contains(&sid.as_str()) {
        let problem = format!("it belongs to {owner}: run as that user");
        return Err(io::Error::new(io::ErrorKind::PermissionDenied, problem));
    }
    Ok(folder)
}

/// Creates the folder; returns whether there was none.
#[expect(unsafe_code, reason = "std makes no folder with a list of its own")]
fn create(path: &Path, descriptor: &Descriptor) -> io::Result<bool> {
    let name = wide(path.as_os_str());
    let attributes = SECURITY_ATTRIBUTES {
        nLength: size_of::<SECURITY_ATTRIBUTES>() as u32,
        lpSecurityDescriptor: descriptor.as_ptr(),
        bInheritHandle: 0,
    };
    // SAFETY: the name ends in NUL, and the descriptor outlives the call.
    if unsafe { CreateDirectoryW(name.as_ptr(), &attributes) } != 0 {
        return Ok(true);
    }
    let error = io::Error::last_os_error();
    match error.raw_os_error().map(i32::cast_unsigned) {
        Some(ERROR_ALREADY_EXISTS) => Ok(false),
        _ => Err(error),
    }
}

/// Opens the folder itself, though its name may be a link's: the folder that is checked is
/// then the one that is restricted.
fn open(path: &Path) -> io::Result<File> {
    OpenOptions::new()
        .access_mode(GENERIC_READ | READ_CONTROL | WRITE_DAC)
        .custom_flags(FILE_FLAG_BACKUP_SEMANTICS | FILE_FLAG_OPEN_REPARSE_POINT)
        .open(path)
}

/// Returns the access list of a folder, in the security descriptor definition language.
#[expect(unsafe_code, reason = "std knows no access lists")]
fn list_of(folder: &File) -> io::Result<String> {
    let mut descriptor: PSECURITY_DESCRIPTOR = ptr::null_mut();
    // SAFETY: the handle is open, the variable is ours, and nothing else is asked for.
    let error = unsafe {
        GetSecurityInfo(
            folder.as_raw_handle(),
            SE_FILE_OBJECT,
            DACL_SECURITY_INFORMATION,
            ptr::null_mut(),
            ptr::null_mut(),
            ptr::null_mut(),
            ptr::null_mut(),
            &mut descriptor,
        )
    };
    from_code(error)?;
    let mut text: *mut u16 = ptr::null_mut();
    // SAFETY: the descriptor is the system's, and is freed once, after its last use. The text's
    // variable is ours.
    let written = unsafe {
        let written = ConvertSecurityDescriptorToStringSecurityDescriptorW(
            descriptor,
            SDDL_REVISION_1,
            DACL_SECURITY_INFORMATION,
            &mut text,
            ptr::null_mut(),
        );
        let error = io::Error::last_os_error();
        LocalFree(descriptor);
        if written == 0 { Err(error) } else { Ok(()) }
    };
    written?;
    // SAFETY: the system has put a text there that ends in NUL, and nothing else frees it.
    Ok(unsafe { take_text(text) })
}

/// Sets the descriptor's list on an existing folder.
#[expect(unsafe_code, reason = "std sets no lists")]
fn restrict(folder: &File, descriptor: &Descriptor) -> io::Result<()> {
    let (mut list, mut is_there, mut is_default): (*mut ACL, _, _) = (ptr::null_mut(), 0, 0);
    // SAFETY: the descriptor is alive, and the three variables are ours.
    let told = unsafe {
        GetSecurityDescriptorDacl(
            descriptor.as_ptr(),
            &mut is_there,
            &mut list,
            &mut is_default,
        )
    };
    if told == 0 || is_there == 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the handle is open; the list stands in the descriptor, which is alive.
    let error = unsafe {
        SetSecurityInfo(
            folder.as_raw_handle(),
            SE_FILE_OBJECT,
            DACL_SECURITY_INFORMATION | PROTECTED_DACL_SECURITY_INFORMATION,
            ptr::null_mut(),
            ptr::null_mut(),
            list,
            ptr::null(),
        )
    };
    from_code(error)
}

fn from_code(error: u32) -> io::Result<()> {
    match error {
        0 => Ok(()),
        error => Err(io::Error::from_raw_os_error(error.cast_signed())),
    }
}

/// Returns `false`: the file's access list is not checked here.
pub(in crate::transport) fn is_readable_by_others(_file: &File) -> io::Result<bool> {
    Ok(false)
}
