//! The admin endpoint of a server, as its settings have it.

use std::path::Path;
use std::sync::Arc;

use crate::admin::{
    Admin, AdminEndpoint, AdminError, CurrentToken, MaybeAudit, OperatorAudit, Token,
};
use crate::cli::audit::AuditLog;
use crate::cli::bounded;
use crate::cli::exit::{Failure, sysexits};
use crate::cli::settings::Settings;

/// The longest token, in bytes, and the shortest: what a person can guess is none.
const LONGEST_TOKEN: usize = 4096;
const SHORTEST_TOKEN: usize = 16;

/// Opens the admin endpoint, if there should be one. The audit log notes what operators do there.
///
/// # Errors
/// It cannot be listened on, or the settings are wrong.
pub(super) fn open(
    settings: &Settings,
    token: &CurrentToken,
    audit: Option<AuditLog>,
) -> Result<Option<Admin>, Failure> {
    let Some((endpoint, first)) = read(settings)? else {
        return Ok(None);
    };
    token.set(first);
    let audit = audit.map(|audit| Arc::new(audit) as Arc<dyn OperatorAudit>);
    let audit = MaybeAudit::new(audit);
    let admin = Admin::start(endpoint, token.clone(), audit).map_err(|error| {
        let code = match &error {
            AdminError::Bind(error) if error.is_of_the_configuration() => sysexits::CONFIG,
            AdminError::Bind(_) => sysexits::UNAVAILABLE,
            AdminError::System(_) => sysexits::OSERR,
        };
        Failure::new(code, error.to_string())
    })?;
    Ok(Some(admin))
}

/// Reads the endpoint and its token; `None`: there should be none.
///
/// # Errors
/// The endpoint is none, or the file of the token cannot be read or has none.
pub(super) fn read(settings: &Settings) -> Result<Option<(AdminEndpoint, Option<Token>)>, Failure> {
    let Some(text) = &settings.admin else {
        return Ok(None);
    };
    let endpoint = text.parse::<AdminEndpoint>();
    let endpoint = endpoint.map_err(|error| Failure::new(sysexits::USAGE, error.to_string()))?;
    let path = settings.admin_token.as_deref();
    let token = path.map(read_token).transpose()?;
    Ok(Some((endpoint, token)))
}

fn read_token(path: &Path) -> Result<Token, Failure> {
    let named = |problem: String| format!("the admin token in {}: {problem}", path.display());
    let line = bounded::read_first_line(path, LONGEST_TOKEN)
        .map_err(|error| Failure::new(error.code(), named(error.to_string())))?;
    match line.len() {
        SHORTEST_TOKEN.. => Ok(Token::new(&line)),
        length => {
            let problem = format!("it has {length} bytes, and must have {SHORTEST_TOKEN} at least");
            Err(Failure::new(sysexits::CONFIG, named(problem)))
        }
    }
}
