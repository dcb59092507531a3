//! Each error code of the contract, as a client gets it.

mod login;
mod serving;
mod wire;

use arauto::ErrorCode;

/// A code, and the test that meets it.
type Meeting = (ErrorCode, fn());

const MET: &[Meeting] = &[
    (
        ErrorCode::BadFrame,
        wire::bytes_that_are_no_frame_are_a_bad_frame,
    ),
    (
        ErrorCode::FrameTooLarge,
        wire::a_frame_over_the_limit_is_too_large,
    ),
    (
        ErrorCode::Unsupported,
        wire::another_protocol_is_unsupported,
    ),
    (
        ErrorCode::NotLoggedIn,
        login::a_request_before_the_login_is_not_logged_in,
    ),
    (
        ErrorCode::AlreadyLoggedIn,
        login::a_second_login_in_one_session_is_already_logged_in,
    ),
    (ErrorCode::BadName, login::what_is_no_name_is_a_bad_name),
    (
        ErrorCode::BadCredentials,
        login::a_wrong_password_is_bad_credentials,
    ),
    (
        ErrorCode::RegistrationClosed,
        login::an_unknown_name_where_registration_is_closed,
    ),
    (
        ErrorCode::Forbidden,
        serving::what_a_role_does_not_allow_is_forbidden,
    ),
    (ErrorCode::NotText, serving::bytes_for_upper_are_not_text),
    (ErrorCode::Throttled, login::a_login_too_many_is_throttled),
    (
        ErrorCode::LoginTimeout,
        login::no_login_in_time_is_a_login_timeout,
    ),
    (
        ErrorCode::IdleTimeout,
        serving::no_frame_for_too_long_is_an_idle_timeout,
    ),
    (
        ErrorCode::TooManySessions,
        login::a_session_too_many_is_told_so,
    ),
    (
        ErrorCode::SlowConsumer,
        serving::a_reader_that_falls_off_the_tail_is_a_slow_consumer,
    ),
    (
        ErrorCode::Revoked,
        crate::revocation::removed_user_sessions_end_with_revoked_and_others_go_on,
    ),
    (
        ErrorCode::Stopping,
        serving::a_frame_after_the_cut_is_told_of_the_stop,
    ),
    (
        ErrorCode::Internal,
        serving::a_handler_that_panics_ends_its_own_session_with_internal,
    ),
];

#[test]
fn every_error_code_of_the_contract_has_its_test() {
    let met: Vec<ErrorCode> = MET.iter().map(|(code, _)| *code).collect();
    assert_eq!(met, ErrorCode::ALL);
    // Different codes are met by different tests.
    let tests: std::collections::HashSet<usize> =
        MET.iter().map(|(_, test)| *test as usize).collect();
    assert_eq!(tests.len(), MET.len());
}
