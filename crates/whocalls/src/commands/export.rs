use anyhow::{Result, bail};

use crate::arguments::ExportArguments;
use crate::exit::Exit;
use crate::output::Talk;

pub(crate) fn run(_arguments: &ExportArguments, _talk: Talk) -> Result<Exit> {
    bail!("not yet")
}
