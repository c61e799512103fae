//! All policies that are in force at once: the base for everybody, and what roles and tenants ask on top of it.

use std::collections::BTreeMap;

use super::{
    policy::{Effective, Layer, Policy},
    presets::Preset,
};
use crate::id::{Role, TenantName};

/// The base, and the layers on top of it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Policies {
    /// For everybody.
    pub base: Policy,
    /// For whoever has the role.
    pub by_role: BTreeMap<Role, Policy>,
    /// For whoever is of the tenant.
    pub by_tenant: BTreeMap<TenantName, Policy>,
}

impl Policies {
    /// What is shipped: one base, and no layers.
    pub fn shipped() -> Self {
        Self {
            base: Preset::Shipped.policy(),
            by_role: BTreeMap::new(),
            by_tenant: BTreeMap::new(),
        }
    }

    /// What is asked of an account with these roles in this tenant: the strictest of each rule, with whose it is.
    pub fn asked_of(&self, roles: &[Role], tenant: &TenantName) -> Effective {
        let of_roles = roles.iter().filter_map(|role| {
            let policy = self.by_role.get(role)?;
            Some((Layer::Role(role.clone()), policy))
        });
        let of_tenant = self.by_tenant.get(tenant);
        let of_tenant = of_tenant.map(|policy| (Layer::Tenant(tenant.clone()), policy));
        of_roles
            .chain(of_tenant)
            .fold(Effective::base(&self.base), |effective, (layer, policy)| {
                effective.tightened(&layer, policy)
            })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::password::{
        rules::{LengthMin, Rule},
        times::Times,
    };

    #[test]
    fn an_account_is_asked_what_its_roles_and_its_tenant_ask_and_no_more() {
        let of_length = |length| Policy::new([LengthMin(length).into()], Times::default());
        let (it, rh): (Role, Role) = ("it".parse().unwrap(), "rh".parse().unwrap());
        let (acme, globex): (TenantName, TenantName) =
            ("acme".parse().unwrap(), "globex".parse().unwrap());
        let policies = Policies {
            by_role: BTreeMap::from([(it.clone(), of_length(20))]),
            by_tenant: BTreeMap::from([(acme.clone(), of_length(18))]),
            ..Policies::shipped()
        };
        let least = |roles: &[Role], tenant: &TenantName| {
            let effective = policies.asked_of(roles, tenant);
            effective.rules().first().cloned().unwrap()
        };
        let rule = |length, layer| (Rule::from(LengthMin(length)), layer);
        assert_eq!(least(&[], &globex), rule(15, Layer::Base));
        assert_eq!(
            least(std::slice::from_ref(&rh), &globex),
            rule(15, Layer::Base)
        );
        assert_eq!(least(&[rh], &acme), rule(18, Layer::Tenant(acme.clone())));
        assert_eq!(
            least(std::slice::from_ref(&it), &acme),
            rule(20, Layer::Role(it))
        );
    }
}
