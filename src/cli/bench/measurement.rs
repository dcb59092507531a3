//! One kind of measurement: it starts the server, runs, stops the server and shows the
//! figures.

use serde::Serialize;

use super::figures::{Document, Figures, json_failed};
use super::options::Common;
use super::target::Target;
use crate::cli::exit::{Failure, sysexits};
use crate::cli::resources::{self, Requirements};
use crate::cli::whole_file;

/// One kind of measurement: its own options.
pub(super) trait Measurement: clap::Args + Serialize {
    const NAME: &'static str;
    type Figures: Figures;

    /// Returns how many sessions it has at a time, and how many accounts it takes.
    fn needs(&self) -> (usize, usize);

    /// Checks the options against one another.
    ///
    /// # Errors
    /// The options exclude one another.
    fn check(&self) -> Result<(), Failure> {
        Ok(())
    }

    async fn run(&self, threads: usize, target: &mut Target) -> Result<Self::Figures, Failure>;
}

/// A measurement with all its options: the JSON's `parameters`.
#[derive(clap::Args, Serialize)]
pub(super) struct Run<M: Measurement> {
    #[command(flatten)]
    #[serde(flatten)]
    measurement: M,

    #[command(flatten)]
    #[serde(flatten)]
    common: Common,
}

/// Measures on this thread, as the end of the thread that starts the server ends it.
pub(super) fn perform<M: Measurement>(run: &Run<M>) -> Result<u8, Failure> {
    run.measurement.check()?;
    if let Some(path) = &run.common.json {
        whole_file::check(path).map_err(|error| json_failed(path, &error))?;
    }
    resources::check(Requirements::CLIENT)?;
    let runtime = resources::runtime()?;
    let outcome = runtime.block_on(measure(run));
    runtime.shutdown_background();
    outcome
}

async fn measure<M: Measurement>(run: &Run<M>) -> Result<u8, Failure> {
    let (measurement, common) = (&run.measurement, &run.common);
    let (sessions, accounts) = measurement.needs();
    let mut target = Target::start(common, sessions, accounts).await?;
    let figures = measurement.run(common.threads, &mut target).await?;
    let server = target.finish().await?;
    let document = Document::new(M::NAME, run, &figures, &server);
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
