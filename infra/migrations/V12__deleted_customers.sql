-- A customer that an operator deleted at Stripe can buy nothing. The id stays: what it bought is ours still, and the
-- next one is made under a key that Stripe has not answered with the deleted one.
ALTER TABLE stripe_customers ADD COLUMN deleted_at timestamptz;
