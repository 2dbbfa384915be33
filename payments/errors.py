"""What can be refused or go wrong with money, as sentences."""

from infra.errors import Conflict, FootlightError, Forbidden, Invalid, NotFound, TooMany, Unavailable

# --- buying


class PlanUnknown(NotFound):
    code = "payment.plan_unknown"
    message = "There is no such plan."


class OrderNotFound(NotFound):
    code = "payment.order_not_found"
    message = "There is no such order."


class ChannelNotForSale(NotFound):
    """The id is nobody's, or somebody's who is no creator."""

    code = "payment.channel_unknown"
    message = "There is no such channel to subscribe to."


class OwnChannel(Invalid):
    code = "payment.own_channel"
    message = "You cannot pay for your own channel."


class AlreadySubscribed(Conflict):
    """`details.subscription_id` names the one that runs."""

    code = "payment.already_subscribed"
    message = "You have this subscription already. Change its plan instead."


class OrderIsOver(Conflict):
    """`details.state` says how it ended."""

    code = "payment.order_over"
    message = "This order was paid, given up or has expired. Begin a new one."


class OrderDiffers(Conflict):
    code = "payment.order_differs"
    message = "This Idempotency-Key was used for a different order."


class PaymentRefused(Conflict):
    """`details.decline_code` is the bank's word, if it gave one."""

    code = "payment.refused"
    message = "The payment was refused. Nothing was taken; try another card."


class TooManyOrders(TooMany):
    code = "payment.too_many_orders"
    message = "You have many unpaid orders. Wait until they expire, or pay one of them."


class AmountNotAllowed(Invalid):
    """`details.minimum` and `details.maximum` are minor units."""

    code = "payment.amount"
    message = "This amount is too small or too large."


class RecipientUnknown(NotFound):
    code = "payment.recipient_unknown"
    message = "There is nobody of that name to give this to."


class NameNotUnique(Conflict):
    code = "payment.name_not_unique"
    message = "Several people have this name. Choose whom you mean."


class CannotBeGiven(Invalid):
    """To oneself, or to a creator their own channel."""

    code = "payment.cannot_be_given"
    message = "They cannot be given this."


class PaidMessagesOff(Forbidden):
    code = "payment.messages_off"
    message = "This channel takes no paid messages just now."


class StreamIsNotLive(Conflict):
    code = "payment.stream_over"
    message = "This stream is not live, so nobody would see the message."


# --- subscriptions


class SubscriptionNotFound(NotFound):
    code = "payment.subscription_not_found"
    message = "There is no such subscription."


class SubscriptionIsOver(Conflict):
    code = "payment.subscription_over"
    message = "This subscription is over. Subscribe again."


class SubscriptionIsUnpaid(Conflict):
    code = "payment.unpaid"
    message = "A payment is owed for this subscription. Mend the card first."


class SamePlan(Conflict):
    code = "payment.same_plan"
    message = "You have this plan already."


class PlanDoesNotFit(Invalid):
    code = "payment.plan_differs"
    message = "A subscription can only change to a plan of the same kind."


class PreviewTooOld(Conflict):
    code = "payment.preview_too_old"
    message = "This price is no longer good. Look at it again."


class NoCustomerYet(Conflict):
    code = "payment.no_customer"
    message = "You have not bought anything yet, so there is nothing to manage."


# --- creators


class NoPayoutAccount(Conflict):
    code = "payment.no_payout_account"
    message = "Set up where your earnings go first."


class PayoutAccountNotReady(Conflict):
    """`details.requirements` names what Stripe still wants."""

    code = "payment.account_not_ready"
    message = "Stripe needs more from you before it can pay you."


class PayoutsFrozen(Forbidden):
    code = "payment.frozen"
    message = "Payouts of this account are stopped. Write to support."


class NotACreator(Forbidden):
    code = "payment.creators_only"
    message = "Only creators are paid. Become one in your account first."


class CountryNotSupported(Invalid):
    code = "payment.country"
    message = "Stripe cannot pay to this country."


class PayoutTooSmall(Conflict):
    """`details.minimum` and `details.available` are minor units."""

    code = "payment.payout_too_small"
    message = "There is too little available for a payout."


class PayoutUnderWay(Conflict):
    code = "payment.payout_under_way"
    message = "A payout is on its way already."


class PayoutDiffers(Conflict):
    code = "payment.payout_differs"
    message = "This Idempotency-Key was used for a payout of another currency."


class PayoutNotFound(NotFound):
    code = "payment.payout_not_found"
    message = "There is no such payout."


class StatementNotFound(NotFound):
    code = "payment.statement_not_found"
    message = "There is no statement of that month."


# --- administration


class CustomerNotFound(NotFound):
    code = "payment.customer_not_found"
    message = "Nobody here fits that."


class PaymentNotFound(NotFound):
    code = "payment.not_found"
    message = "There is no such payment."


class RefundTooLarge(Conflict):
    """`details.left` is what can still be given back, in minor units."""

    code = "payment.refund_too_large"
    message = "There is less left to give back than that."


class RefundDiffers(Conflict):
    code = "payment.refund_differs"
    message = "This Idempotency-Key was used for a different refund."


class GivenNotFound(NotFound):
    code = "payment.given_not_found"
    message = "Nothing was given away under this id."


class AdminsOnly(Forbidden):
    code = "payment.admins_only"
    message = "Only administrators can do this."


class FreshSignInNeeded(Forbidden):
    code = "payment.sign_in_again"
    message = "Confirm your password to do this."


# --- Stripe


class PaymentsOff(Unavailable):
    """No key of Stripe is set: an operator has to do something, so trying again does not help."""

    code = "payment.off"
    message = "Payments are not set up here."
    retryable = False


class StripeUnavailable(Unavailable):
    code = "payment.stripe"
    message = "The payment service does not answer just now. Nothing was taken; try again in a moment."


class StripeRefused(FootlightError):
    """Stripe did not accept what we asked: our mistake, or a setting of the account. The log has its words."""

    code = "payment.stripe_refused"
    message = "The payment service did not accept this."


class WebhookRefused(Invalid):
    """Says the same for a missing, a wrong and an old signature."""

    code = "payment.webhook"
    message = "This is not a signed event of ours."


# --- the books


class BooksDisagree(FootlightError):
    """A cause is in the books with other lines than it would get now. Nothing was written; a person has to look."""

    code = "payment.books_disagree"
    message = "The books say something else about this already."
