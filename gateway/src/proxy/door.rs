//! Wording what the door refuses, as every refusal is worded.

use std::sync::Arc;

use bytes::Bytes;
use http::{Method, Response};
use octroi_policy::request::Malformed;

use super::{Gate, answer::answer, context::Context, refusal::Refusal};
use crate::listener::{
    facts::ConnectionFacts,
    open_requests::OpenRequest,
    refusal::{DoorRefusal, DoorRefusals},
};

impl DoorRefusals for Gate {
    fn refuse(&self, facts: &Arc<ConnectionFacts>, refusal: DoorRefusal) -> Response<Bytes> {
        let mut context = self.unread(facts);
        let refusal = match refusal {
            DoorRefusal::Malformed(reason) => Refusal::Malformed(reason),
            DoorRefusal::HeadTooLarge => Refusal::HeadTooLarge,
            DoorRefusal::HeadTooSlow => Refusal::HeadTooSlow,
            DoorRefusal::BodyTooSlow => Refusal::BodyTooSlow,
        };
        let refusal = self.spend_on_refusal(&context, refusal);
        let record = &mut context.record;
        record.refusal = Some(refusal);
        let answer = answer(&self.0, record, None, refusal);
        record.status = Some(answer.status);
        record.bytes_out = u64::try_from(answer.body.len()).unwrap_or(u64::MAX);
        answer.into_response()
    }

    fn refused_unseen(&self, facts: &Arc<ConnectionFacts>) {
        let mut context = self.unread(facts);
        let refusal = Refusal::Malformed(Malformed::Http2Head);
        // It counts to its address, though the answer is out and can be no other.
        self.spend_on_refusal(&context, refusal);
        context.record.refusal = Some(refusal);
        context.record.status = Some(refusal.outcome().status);
    }
}

impl Gate {
    /// The record of a request of whose head nothing was read that could be believed.
    fn unread(&self, facts: &Arc<ConnectionFacts>) -> Context {
        let open = OpenRequest::new(Arc::clone(facts));
        let mut context = Context::new(&self.0, Some(&open));
        context.record.method = Method::from_bytes(UNKNOWN_METHOD).unwrap_or_default();
        context
    }
}

const UNKNOWN_METHOD: &[u8] = b"-";
