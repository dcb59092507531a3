//! The access lists of pipes and of the data folder, read back from their security
//! descriptors. Wine keeps descriptors, but does not enforce them.

use std::ffi::c_void;
use std::fs::OpenOptions;
use std::os::windows::fs::OpenOptionsExt;
use std::os::windows::io::AsRawHandle;
use std::path::Path;
use std::ptr;

use windows_sys::Win32::Foundation::LocalFree;
use windows_sys::Win32::Security::Authorization::{
    ConvertSecurityDescriptorToStringSecurityDescriptorW, GetSecurityInfo, SDDL_REVISION_1,
    SE_FILE_OBJECT, SE_KERNEL_OBJECT, SE_OBJECT_TYPE,
};
use windows_sys::Win32::Security::DACL_SECURITY_INFORMATION;
use windows_sys::Win32::Storage::FileSystem::FILE_FLAG_BACKUP_SEMANTICS;

use super::is_wine;
use crate::support::{Fixture, os};

/// One entry: what is allowed, and to whom.
#[derive(Debug, PartialEq)]
struct Entry {
    rights: String,
    whom: String,
}

impl Entry {
    /// All rights: as they are asked for, or as the system stores that for a pipe.
    fn is_all(&self) -> bool {
        matches!(self.rights.as_str(), "GA" | "FA")
    }
}

/// The entries of a pipe's list, each of which allows something.
fn entries(options: &str) -> Vec<Entry> {
    let fixture = Fixture::listening(options, |_| {});
    let pipe = os::open(fixture.endpoint()).expect("there is a place");
    let sddl = sddl(&pipe, SE_KERNEL_OBJECT);
    drop(pipe);
    fixture.finish();
    let list = sddl.strip_prefix("D:P").expect("nothing is inherited");
    let entries = list.split_terminator(')').map(|entry| {
        let fields: Vec<&str> = entry.split(';').collect();
        let ["(A", "", rights, "", "", whom] = fields[..] else {
            panic!("{entry} of {sddl} allows nothing");
        };
        Entry {
            rights: rights.to_owned(),
            whom: whom.to_owned(),
        }
    });
    entries.collect()
}

/// The list of who may do what, in the security descriptor definition language.
#[expect(unsafe_code, reason = "std knows no security descriptors")]
fn sddl(object: &impl AsRawHandle, kind: SE_OBJECT_TYPE) -> String {
    let mut descriptor: *mut c_void = ptr::null_mut();
    let mut text: *mut u16 = ptr::null_mut();
    // SAFETY: the handle is open, and the descriptor's place is ours; nothing else is
    // asked for.
    let error = unsafe {
        GetSecurityInfo(
            object.as_raw_handle(),
            kind,
            DACL_SECURITY_INFORMATION,
            ptr::null_mut(),
            ptr::null_mut(),
            ptr::null_mut(),
            ptr::null_mut(),
            &mut descriptor,
        )
    };
    assert_eq!(error, 0, "it can be read");
    // SAFETY: the descriptor is the system's, alive until it is freed, and the text's
    // place is ours. The text ends in NUL. Both are freed once, as the system says.
    unsafe {
        let written = ConvertSecurityDescriptorToStringSecurityDescriptorW(
            descriptor,
            SDDL_REVISION_1,
            DACL_SECURITY_INFORMATION,
            &mut text,
            ptr::null_mut(),
        );
        assert_ne!(written, 0, "{}", std::io::Error::last_os_error());
        let length = (0..).take_while(|&at| *text.add(at) != 0).count();
        let sddl = String::from_utf16_lossy(std::slice::from_raw_parts(text, length));
        LocalFree(text.cast());
        LocalFree(descriptor);
        sddl
    }
}

/// The first two entries: SYSTEM's and the server's own user's, who may do anything.
fn check_owners(entries: &[Entry]) {
    let [system, own] = &entries[..2] else {
        panic!("two are always there: {entries:?}");
    };
    assert!(system.is_all() && system.whom == "SY", "{system:?}");
    assert!(own.is_all() && own.whom.starts_with("S-1-"), "{own:?}");
}

#[test]
fn default_pipe_acl_is_owner_and_system_only() {
    for options in ["", "?access=owner", "?dialect=text"] {
        let entries = entries(options);
        check_owners(&entries);
        assert_eq!(entries.len(), 2, "{options}: {entries:?}");
    }
}

#[test]
fn pipe_open_to_everyone_allows_no_impostor_instance() {
    const FILE_CREATE_PIPE_INSTANCE: u32 = 0x4;
    for options in ["?access=everyone", "?access=everyone&dialect=text"] {
        let entries = entries(options);
        check_owners(&entries);
        let [_, _, everyone] = &entries[..] else {
            panic!("{options}: {entries:?}");
        };
        assert_eq!(everyone.whom, "WD");
        let rights = everyone.rights.strip_prefix("0x").expect("bits");
        let rights = u32::from_str_radix(rights, 16).expect("bits");
        assert_eq!(rights, 0x0012_019b, "{rights:#x}");
        assert_eq!(rights & FILE_CREATE_PIPE_INSTANCE, 0);
    }
}

#[test]
fn unknown_pipe_group_is_named() {
    let mut config = arauto::Config::default();
    let folder = tempfile::tempdir().expect("a folder can be made");
    let pipe = os::endpoint(folder.path(), "s").to_string();
    Fixture::also(&mut config, &format!("{pipe}?access=group:nenhum-grupo"));
    config.listen.drain(..1);
    let Err(error) = arauto::Server::start(config) else {
        panic!("nobody is in that group");
    };
    assert!(error.to_string().contains(&pipe), "{error}");
}

/// The list of a folder.
fn folders_sddl(path: &Path) -> String {
    let mut options = OpenOptions::new();
    let folder = options
        .read(true)
        .custom_flags(FILE_FLAG_BACKUP_SEMANTICS)
        .open(path)
        .expect("it is ours");
    sddl(&folder, SE_FILE_OBJECT)
}

/// Whether the list grants any right to Everyone or to all users.
fn lets_others_in(sddl: &str) -> bool {
    ["WD", "AU", "BU"]
        .iter()
        .any(|others| sddl.contains(&format!(";;;{others})")))
}

/// Wine applies the access list that a folder is made with, and ignores later changes. So this
/// does not show that a folder that exists already is closed to others.
#[test]
fn windows_data_folder_is_owner_and_system_only() {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let (data, usual) = (folder.path().join("data"), folder.path().join("usual"));
    std::fs::create_dir(&usual).expect("the folder is ours");
    let by_itself = folders_sddl(&usual);
    assert!(lets_others_in(&by_itself), "{by_itself}");
    let fixture = Fixture::with(|config| config.storage.data = Some(data.clone()));
    drop(fixture.client("ana"));
    fixture.finish();
    let sddl = folders_sddl(&data);
    assert!(!lets_others_in(&sddl), "{sddl}");
}

/// The service's folder names its account and the group Administrators, and commands of an
/// administrator must not take it from the service. Of the list of a folder Wine keeps the owner's
/// entry and the system's, and it sets another one than it is told where the folder exists. So under
/// Wine this shows only that others are kept out of a new folder.
#[test]
fn windows_service_folder_stays_the_services() {
    const SERVICE: &str = "S-1-5-80-252206560-1899095965-420021644-795094642-2666121914";
    let folder = tempfile::tempdir().expect("a folder can be made");
    let data = folder.path().join("data");
    if let Err(error) = arauto::internal::make_service_folder(&data) {
        println!("not run: only an administrator can make it: {error}");
        return;
    }
    let list = folders_sddl(&data);
    let granted: &[_] = if is_wine() {
        &["SY"]
    } else {
        &["SY", "BA", SERVICE]
    };
    for whom in granted {
        let entry = format!(";FA;;;{whom})");
        assert!(list.contains(&entry), "{whom}: {list}");
    }
    assert!(!lets_others_in(&list), "{list}");
    arauto::internal::open_data_folder(&data).expect("it is an administrator's too");
    if !is_wine() {
        assert_eq!(folders_sddl(&data), list);
    }
}

#[test]
fn windows_data_folder_is_opened_again() {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let data = folder.path().join("data");
    for _ in 0..2 {
        arauto::internal::open_data_folder(&data).expect("it is ours");
    }
}

#[test]
fn windows_folder_with_other_files_keeps_its_acl() {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let shared = folder.path().join("shared");
    std::fs::create_dir(&shared).expect("the folder is ours");
    std::fs::write(shared.join("carta.txt"), "bom dia").expect("the folder is ours");
    let before = folders_sddl(&shared);
    arauto::internal::open_data_folder(&shared).expect("it is ours");
    assert_eq!(folders_sddl(&shared), before);
}
