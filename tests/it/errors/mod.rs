//! Each error code of the contract, as a client gets it.

mod login;
mod serving;
mod wire;

use arauto::ErrorCode;

/// A code, and the test that meets it.
type Meeting = (ErrorCode, fn());

const MET: &[Meeting] = &[
    (ErrorCode::BadFrame, wire::garbage_bytes_are_bad_frame),
    (
        ErrorCode::FrameTooLarge,
        wire::frame_over_the_limit_is_frame_too_large,
    ),
    (
        ErrorCode::Unsupported,
        wire::bytes_of_another_protocol_are_unsupported,
    ),
    (
        ErrorCode::NotLoggedIn,
        login::request_before_login_is_not_logged_in,
    ),
    (
        ErrorCode::AlreadyLoggedIn,
        login::second_login_is_already_logged_in,
    ),
    (ErrorCode::BadName, login::invalid_user_name_is_bad_name),
    (
        ErrorCode::BadCredentials,
        login::wrong_password_is_bad_credentials,
    ),
    (
        ErrorCode::RegistrationClosed,
        login::unknown_name_is_registration_closed,
    ),
    (
        ErrorCode::Forbidden,
        serving::frame_the_role_does_not_allow_is_forbidden,
    ),
    (
        ErrorCode::NotText,
        serving::bytes_sent_to_upper_are_not_text,
    ),
    (
        ErrorCode::Throttled,
        login::login_above_the_rate_is_throttled,
    ),
    (
        ErrorCode::LoginTimeout,
        login::session_without_a_login_in_time_is_login_timeout,
    ),
    (
        ErrorCode::IdleTimeout,
        serving::session_without_frames_is_idle_timeout,
    ),
    (
        ErrorCode::TooManySessions,
        login::session_above_max_sessions_is_too_many_sessions,
    ),
    (
        ErrorCode::SlowConsumer,
        serving::reader_behind_the_tail_is_slow_consumer,
    ),
    (
        ErrorCode::Revoked,
        crate::revocation::removed_user_sessions_end_with_revoked_and_others_go_on,
    ),
    (
        ErrorCode::BadValue,
        serving::number_out_of_its_range_is_bad_value,
    ),
    (
        ErrorCode::TooMany,
        crate::cursor::refusals::cursor_above_the_limit_of_its_account_is_too_many,
    ),
    (
        ErrorCode::OutOfOrder,
        serving::number_above_the_next_one_is_out_of_order,
    ),
    (
        ErrorCode::Superseded,
        crate::cursor::supersede::second_login_with_a_cursor_ends_the_first_with_superseded,
    ),
    (
        ErrorCode::Stopping,
        serving::frame_after_the_cut_is_stopping,
    ),
    (
        ErrorCode::Internal,
        serving::panicking_handler_ends_its_session_with_internal,
    ),
];

/// The codes of features that this server does not serve yet, and so does not send.
const UNSERVED: &[ErrorCode] = &[
    ErrorCode::BadTopic,
    ErrorCode::UnknownUser,
    ErrorCode::Unavailable,
    ErrorCode::Timeout,
    ErrorCode::Failed,
];

#[test]
fn contract_error_codes_each_have_a_test() {
    let met: Vec<ErrorCode> = MET.iter().map(|(code, _)| *code).collect();
    let served = ErrorCode::ALL.iter().copied();
    let served: Vec<ErrorCode> = served.filter(|code| !UNSERVED.contains(code)).collect();
    assert_eq!(met, served);
    // Different codes are met by different tests.
    let tests: std::collections::HashSet<usize> =
        MET.iter().map(|(_, test)| *test as usize).collect();
    assert_eq!(tests.len(), MET.len());
}
