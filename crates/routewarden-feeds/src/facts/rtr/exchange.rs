//! The dialogue of one connection, without I/O or time (RFC 8210 §8).

use super::error::RtrError;
use super::pdu::{Intervals, Pdu, PduBody, code};
use super::records::{Pending, Records};

/// What the data held was got with: enough to ask for what changed since.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Held {
    pub(super) version: u8,
    pub(super) session: u16,
    pub(super) serial: u32,
}

/// Most characters kept of the text of an Error Report.
const REPORT_CHARS_MAX: usize = 200;

/// What is to be done after a PDU.
#[derive(Debug)]
pub(super) enum Step {
    /// Nothing.
    Go,
    /// Send a query.
    Ask(Pdu),
    /// The cache has no data: ask again later.
    Wait,
    /// The cache says that there is nothing at all: ask again soon.
    Empty,
    /// A response is complete.
    Commit(Pending, Held, Option<Intervals>),
}

#[derive(Debug)]
enum Phase {
    /// Nothing is asked.
    Idle,
    /// A query was sent; for everything, or not.
    Asked { is_reset: bool },
    /// Records come.
    Receiving { pending: Pending, session: u16 },
}

/// One connection.
#[derive(Debug)]
pub(super) struct Exchange {
    version: u8,
    is_agreed: bool,
    held: Option<Held>,
    phase: Phase,
    /// Serial number of a Serial Notify that came while something else was asked.
    notified: Option<u32>,
}

impl Exchange {
    pub(super) fn new(version: u8, held: Option<Held>) -> Self {
        // A session is of one version (RFC 8210 §5.1): another one is asked for everything.
        let held = held.filter(|held| held.version == version);
        Exchange { version, is_agreed: false, held, phase: Phase::Idle, notified: None }
    }

    pub(super) fn version(&self) -> u8 {
        self.version
    }

    /// Whether an answer is awaited or incomplete.
    pub(super) fn is_busy(&self) -> bool {
        !matches!(self.phase, Phase::Idle)
    }

    /// The query that fits what is held.
    pub(super) fn ask(&mut self) -> Pdu {
        self.phase = Phase::Asked { is_reset: self.held.is_none() };
        let body = match self.held {
            Some(Held { session, serial, .. }) => PduBody::SerialQuery { session, serial },
            None => PduBody::ResetQuery,
        };
        Pdu { version: self.version, body }
    }

    /// Takes what the cache says. After an error the connection is to be closed.
    pub(super) fn take(&mut self, pdu: Pdu, records: &Records) -> Result<Step, RtrError> {
        let Pdu { version, body } = pdu;
        let body = match body {
            PduBody::ErrorReport { code, text, .. } => return self.report(version, code, &text),
            // RFC 8210 §7: a notify before the version is agreed upon is passed over.
            PduBody::SerialNotify { .. } if !self.is_agreed => return Ok(Step::Go),
            body => body,
        };
        self.agree(version)?;
        match body {
            PduBody::SerialNotify { session, serial } => self.notify(session, serial),
            PduBody::CacheReset => match self.phase {
                Phase::Asked { is_reset: false } => {
                    self.held = None;
                    Ok(Step::Ask(self.ask()))
                }
                _ => Err(RtrError::Unexpected { pdu: "Cache Reset" }),
            },
            PduBody::CacheResponse { session } => self.response(session, records),
            PduBody::EndOfData { session, serial, intervals } => {
                self.end(session, serial, intervals)
            }
            body => self.record(body, records),
        }
    }

    /// The first PDU says the version of the connection (RFC 8210 §7).
    fn agree(&mut self, version: u8) -> Result<(), RtrError> {
        if self.is_agreed || version > self.version {
            let agreed = self.version;
            return if version == agreed {
                Ok(())
            } else {
                Err(RtrError::VersionChanged { version, agreed })
            };
        }
        let is_reset = matches!(self.phase, Phase::Asked { is_reset: true });
        if version < self.version && !is_reset {
            // The session asked for is of the other version.
            return Err(RtrError::Unsupported { version, asked: self.version });
        }
        (self.version, self.is_agreed) = (version, true);
        Ok(())
    }

    fn report(&mut self, version: u8, code: u16, text: &str) -> Result<Step, RtrError> {
        if code == code::UNSUPPORTED_VERSION && !self.is_agreed {
            return Err(RtrError::Unsupported { version, asked: self.version });
        }
        if code == code::NO_DATA && matches!(self.phase, Phase::Asked { .. }) {
            self.phase = Phase::Idle;
            // It speaks our version, and will notify when it has data: that must not be passed over.
            self.is_agreed |= version == self.version;
            return Ok(Step::Wait);
        }
        let text: String = text.chars().take(REPORT_CHARS_MAX).collect();
        Err(RtrError::Reported { code, text: text.into() })
    }

    fn notify(&mut self, session: u16, serial: u32) -> Result<Step, RtrError> {
        if !matches!(self.phase, Phase::Idle) {
            self.notified = Some(serial);
            return Ok(Step::Go);
        }
        match self.held {
            Some(held) if held.session != session => {
                Err(RtrError::SessionChanged { session, held: held.session })
            }
            Some(held) if held.serial == serial => Ok(Step::Go),
            _ => Ok(Step::Ask(self.ask())),
        }
    }

    fn response(&mut self, session: u16, records: &Records) -> Result<Step, RtrError> {
        let Phase::Asked { is_reset } = self.phase else {
            return Err(RtrError::Unexpected { pdu: "Cache Response" });
        };
        if let Some(held) = self.held.filter(|held| !is_reset && held.session != session) {
            return Err(RtrError::SessionChanged { session, held: held.session });
        }
        self.phase = Phase::Receiving { pending: records.begin(is_reset), session };
        Ok(Step::Go)
    }

    fn end(
        &mut self,
        session: u16,
        serial: u32,
        intervals: Option<Intervals>,
    ) -> Result<Step, RtrError> {
        match std::mem::replace(&mut self.phase, Phase::Idle) {
            // StayRTR 0.5.1 answers so when all that its file has is expired.
            Phase::Receiving { pending, session: held }
                if held == session && pending.is_empty() =>
            {
                self.held = None;
                Ok(Step::Empty)
            }
            Phase::Receiving { pending, session: held } if held == session => {
                let held = Held { version: self.version, session, serial };
                self.held = Some(held);
                Ok(Step::Commit(pending, held, intervals))
            }
            Phase::Receiving { session: held, .. } => {
                Err(RtrError::SessionChanged { session, held })
            }
            _ => Err(RtrError::Unexpected { pdu: "End of Data" }),
        }
    }

    /// A query for what was notified while a response came, once that is complete.
    pub(super) fn ask_again(&mut self) -> Option<Pdu> {
        let notified = self.notified.take()?;
        self.held.filter(|held| held.serial != notified).map(|_| self.ask())
    }

    fn record(&mut self, body: PduBody, records: &Records) -> Result<Step, RtrError> {
        let Phase::Receiving { pending, .. } = &mut self.phase else {
            return Err(RtrError::Unexpected { pdu: "a record outside a response" });
        };
        match body {
            PduBody::Prefix { announce, vrp } => records.vrp(pending, vrp, announce)?,
            PduBody::Aspa { announce, layout, customer, providers } => {
                records.aspa(pending, (customer, layout), (announce, providers.into_vec()))?;
            }
            PduBody::RouterKey { .. } => {}
            _ => return Err(RtrError::Unexpected { pdu: "a query" }),
        }
        Ok(Step::Go)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const VERSION: u8 = 2;

    fn pdu(body: PduBody) -> Pdu {
        Pdu { version: VERSION, body }
    }

    fn no_data() -> Pdu {
        pdu(PduBody::ErrorReport { code: code::NO_DATA, pdu: Box::default(), text: "".into() })
    }

    /// A cache that starts has no data for a while, and then says so.
    #[test]
    fn a_notify_after_no_data_is_heard() {
        let records = Records::default();
        let notify = || pdu(PduBody::SerialNotify { session: 7, serial: 1 });
        let mut first = Exchange::new(VERSION, None);
        first.ask();
        assert!(matches!(first.take(notify(), &records), Ok(Step::Go)), "nothing is agreed yet");
        assert!(matches!(first.take(no_data(), &records), Ok(Step::Wait)));
        let asked = first.take(notify(), &records);
        assert!(matches!(asked, Ok(Step::Ask(Pdu { body: PduBody::ResetQuery, .. }))), "{asked:?}");

        let held = Held { version: VERSION, session: 6, serial: 9 };
        let mut again = Exchange::new(VERSION, Some(held));
        again.ask();
        assert!(matches!(again.take(no_data(), &records), Ok(Step::Wait)));
        let anew = again.take(notify(), &records);
        assert!(matches!(anew, Err(RtrError::SessionChanged { session: 7, held: 6 })), "{anew:?}");
    }
}
