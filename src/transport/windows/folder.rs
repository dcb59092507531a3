//! Folders that are their owner's alone.
//!
//! A folder is created with its access list, so there is no moment at which others get in.
//! Files and folders that are created in it later inherit the list.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::windows::fs::OpenOptionsExt;
use std::os::windows::io::{AsHandle, AsRawHandle};
use std::path::Path;
use std::ptr;

use windows_sys::Win32::Foundation::{ERROR_ALREADY_EXISTS, GENERIC_READ};
use windows_sys::Win32::Security::Authorization::{SE_FILE_OBJECT, SetSecurityInfo};
use windows_sys::Win32::Security::{
    ACL, DACL_SECURITY_INFORMATION, GetSecurityDescriptorDacl, PROTECTED_DACL_SECURITY_INFORMATION,
    SECURITY_ATTRIBUTES,
};
use windows_sys::Win32::Storage::FileSystem::{
    CreateDirectoryW, FILE_FLAG_BACKUP_SEMANTICS, FILE_FLAG_OPEN_REPARSE_POINT, READ_CONTROL,
    WRITE_DAC,
};

use super::names::wide;
use super::security::{Descriptor, own_sid, owner};

/// SYSTEM and the group Administrators. No list keeps them out, and the group owns what its
/// members make.
const TRUSTED_SIDS: [&str; 2] = ["S-1-5-18", "S-1-5-32-544"];

/// Creates the folder, or restricts an existing one: its owner and SYSTEM may do anything in
/// it, others nothing, and it inherits nothing from above.
///
/// # Errors
/// The folder is a link or belongs to another user, or the system refuses.
pub(in crate::transport) fn make_private_folder(path: &Path) -> io::Result<()> {
    if let Some(parent) = path.parent() {
        std::fs::create_dir_all(parent)?;
    }
    let own = own_sid()?;
    let inherited = "OICI"; // by files and folders in it
    let sddl = format!("D:P(A;{inherited};FA;;;SY)(A;{inherited};FA;;;{own})");
    let descriptor = Descriptor::from_sddl(&sddl)?;
    if create(path, &descriptor)? {
        return Ok(());
    }
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
    restrict(&folder, &descriptor)
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
