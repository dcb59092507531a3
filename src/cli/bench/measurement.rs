//! One kind of measurement: it starts the server, runs, stops the server and shows the
//! figures.

use serde::Serialize;

use super::figures::{Document, Figures, json_failed};
use super::options::Common;
use super::target::Target;
use crate::cli::exit::{Failure, sysexits};
use crate::cli::resources::{self, Requirements};
use crate::cli::whole_file;

/// One kind of measurement. Its fields are the JSON's `parameters`.
pub(super) trait Measurement: Serialize {
    const NAME: &'static str;
    type Figures: Figures;

    fn common(&self) -> &Common;

    /// Returns the sessions and accounts that it takes.
    fn needs(&self) -> Needs;

    /// Checks the options against one another.
    ///
    /// # Errors
    /// The options exclude one another.
    fn check(&self) -> Result<(), Failure> {
        Ok(())
    }

    async fn run(&self, target: &mut Target) -> Result<Self::Figures, Failure>;
}

/// What a measurement takes.
pub(super) struct Needs {
    pub(super) sessions: usize,
    pub(super) accounts: usize,
}

/// Measures on this thread, as the end of the thread that starts the server ends it.
pub(super) fn perform<M: Measurement>(measurement: &M) -> Result<u8, Failure> {
    measurement.check()?;
    if let Some(path) = &measurement.common().json {
        whole_file::check(path).map_err(|error| json_failed(path, &error))?;
    }
    resources::check(Requirements::CLIENT)?;
    let runtime = resources::runtime()?;
    let outcome = runtime.block_on(measure(measurement));
    runtime.shutdown_background();
    outcome
}

async fn measure<M: Measurement>(measurement: &M) -> Result<u8, Failure> {
    let (needs, common) = (measurement.needs(), measurement.common());
    let mut target = Target::start(common, needs.sessions, needs.accounts).await?;
    let figures = measurement.run(&mut target).await?;
    let server = target.finish().await?;
    let document = Document::new(M::NAME, measurement, &figures, &server);
    // The file first: stdout may have no reader.
    if let Some(path) = &common.json {
        document.write(path)?;
    }
    document.print()?;
    match figures.trouble() {
        None => Ok(0),
        Some(trouble) => Err(Failure::new(sysexits::SOFTWARE, trouble)),
    }
}
