//! Asks: each source in a thread of its own, in random order and at its pace. Each answer is kept before
//! the next thing happens, so that an interruption loses none.

use model::Enrichment;

use crate::exit::Exit;

/// What came.
pub(super) struct Done {
    pub(super) enrichments: Vec<Enrichment>,
    pub(super) exit: Exit,
}

#[cfg(feature = "network")]
pub(super) use self::with_network::ask;
#[cfg(not(feature = "network"))]
pub(super) use self::without_network::ask;

#[cfg(not(feature = "network"))]
mod without_network {
    use anyhow::{Result, bail};
    use record::review::Review;

    use super::Done;
    use crate::commands::lookup::online::plan::Plan;
    use crate::commands::lookup::online::settings::Settings;
    use crate::output::Talk;

    /// Errors: always.
    pub(in crate::commands::lookup::online) fn ask(
        _: Plan,
        _: &Settings,
        _: Option<Review>,
        _: Talk,
    ) -> Result<Done> {
        bail!("this whocalls cannot ask others: it was built without the network")
    }
}

#[cfg(feature = "network")]
mod with_network {
    use std::collections::hash_map::RandomState;
    use std::hash::{BuildHasher, Hasher};
    use std::sync::mpsc::{RecvTimeoutError, channel};
    use std::thread;
    use std::time::{Duration, Instant};

    use anyhow::Result;
    use model::Enrichment;
    use record::review::{Error, Review};

    use super::Done;
    use crate::commands::lookup::online::plan::{Ask, Plan};
    use crate::commands::lookup::online::settings::Settings;
    use crate::exit::Exit;
    use crate::interrupt::Interrupt;
    use crate::output::Talk;

    const VERSION: &str = env!("CARGO_PKG_VERSION");
    const STEP: Duration = Duration::from_millis(200);
    /// How often it is said how far it is.
    const SAID_EACH: Duration = Duration::from_secs(5);

    /// Errors: the settings make no sense, or answers cannot be kept.
    pub(in crate::commands::lookup::online) fn ask(
        plan: Plan,
        settings: &Settings,
        mut review: Option<Review>,
        talk: Talk,
    ) -> Result<Done> {
        let network = settings.network(observe::now)?;
        let interrupt = Interrupt::listen()?;
        let count = plan.asks.len();
        let stop = || interrupt.is_asked();
        let mut kept = Kept {
            review: review.as_mut(),
            enrichments: Vec::new(),
            failure: None,
        };
        thread::scope(|scope| {
            let (answers, arrived) = channel();
            for (_, asks) in plan.by_source() {
                let (answers, network, stop) = (answers.clone(), &network, &stop);
                scope.spawn(move || {
                    for ask in shuffled(asks) {
                        let answer = network.ask(ask.source, &ask.question, stop);
                        let Some(answer) = answer else {
                            return;
                        };
                        if answers.send(answer).is_err() {
                            return;
                        }
                    }
                });
            }
            drop(answers);
            let mut said = Instant::now();
            loop {
                match arrived.recv_timeout(STEP) {
                    Ok(enrichment) => {
                        if !kept.take(enrichment) {
                            return;
                        }
                    }
                    Err(RecvTimeoutError::Timeout) => {}
                    Err(RecvTimeoutError::Disconnected) => return,
                }
                if said.elapsed() >= SAID_EACH {
                    said = Instant::now();
                    talk.say(&format!("{} of {count} asked\n", kept.enrichments.len()));
                }
            }
        });
        let Kept {
            enrichments,
            failure,
            ..
        } = kept;
        if let Some(error) = failure {
            return Err(anyhow::Error::from(error).context("an answer could not be kept"));
        }
        let left = count.saturating_sub(enrichments.len());
        if left > 0 {
            talk.say(&format!(
                "{left} of {count} questions were not asked; the same command goes on with them.\n"
            ));
        }
        let exit = exit(&enrichments, left);
        Ok(Done { enrichments, exit })
    }

    struct Kept<'a> {
        review: Option<&'a mut Review>,
        enrichments: Vec<Enrichment>,
        failure: Option<Error>,
    }

    impl Kept<'_> {
        /// Whether to go on.
        fn take(&mut self, enrichment: Enrichment) -> bool {
            if let Some(review) = &mut self.review
                && let Err(error) = review.add(&enrichment, VERSION)
            {
                self.failure = Some(error);
                return false;
            }
            self.enrichments.push(enrichment);
            true
        }
    }

    fn exit(enrichments: &[Enrichment], left: usize) -> Exit {
        let failed = |it: &&Enrichment| matches!(enrich::sources::said(it), model::Said::Failed(_));
        let failed = enrichments.iter().filter(failed).count();
        if failed == enrichments.len() && failed + left > 0 {
            Exit::Failed
        } else if failed > 0 || left > 0 {
            Exit::Lost
        } else {
            Exit::Done
        }
    }

    /// So that the order tells nothing of the case.
    fn shuffled(mut asks: Vec<&Ask>) -> Vec<&Ask> {
        let random = RandomState::new();
        let key = |ask: &&Ask| {
            let mut hasher = random.build_hasher();
            hasher.write(ask.question.to_string().as_bytes());
            hasher.finish()
        };
        asks.sort_by_cached_key(key);
        asks
    }
}
