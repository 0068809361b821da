use anyhow::{Result, bail};

use crate::arguments::OpenArguments;
use crate::exit::Exit;
use crate::output::Talk;

pub(crate) fn run(_arguments: &OpenArguments, _color: crate::arguments::Color, _talk: Talk) -> Result<Exit> {
    bail!("not yet")
}
