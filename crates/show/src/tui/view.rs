//! The views.

use crate::messages::frame;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum View {
    #[default]
    Overview,
    Connections,
    Processes,
    Destinations,
    Timeline,
    History,
    Findings,
    /// That were asked for.
    Names,
}

impl View {
    pub(super) const ALL: [Self; 8] = [
        Self::Overview,
        Self::Connections,
        Self::Processes,
        Self::Destinations,
        Self::Timeline,
        Self::History,
        Self::Findings,
        Self::Names,
    ];

    pub(super) fn title(self) -> &'static str {
        match self {
            Self::Overview => frame::OVERVIEW,
            Self::Connections => frame::CONNECTIONS,
            Self::Processes => frame::PROCESSES,
            Self::Destinations => frame::DESTINATIONS,
            Self::Timeline => frame::TIMELINE,
            Self::History => frame::HISTORY,
            Self::Findings => frame::FINDINGS,
            Self::Names => frame::NAMES,
        }
    }

    /// The same for a narrow screen: all of them fit into 80 columns.
    pub(super) fn short_title(self) -> &'static str {
        match self {
            Self::Destinations => frame::DESTINATIONS_SHORT,
            Self::Overview
            | Self::Connections
            | Self::Processes
            | Self::Timeline
            | Self::History
            | Self::Findings
            | Self::Names => self.title(),
        }
    }

    /// Where it stands among all, from 0.
    pub(super) fn place(self) -> usize {
        Self::ALL.iter().position(|it| *it == self).unwrap_or(0)
    }

    pub(super) fn at(place: usize) -> Option<Self> {
        Self::ALL.get(place).copied()
    }

    pub(super) fn next(self) -> Self {
        Self::at((self.place() + 1) % Self::ALL.len()).unwrap_or_default()
    }

    pub(super) fn previous(self) -> Self {
        let last = Self::ALL.len() - 1;
        Self::at(self.place().checked_sub(1).unwrap_or(last)).unwrap_or_default()
    }

    /// Whether its rows are single connections.
    pub(super) fn is_of_connections(self) -> bool {
        matches!(self, Self::Connections | Self::History)
    }
}
