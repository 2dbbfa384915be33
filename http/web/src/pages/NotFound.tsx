import { useTitle } from "../layout/useTitle";
import { ButtonLink } from "../ui/Button";
import { Message } from "../ui/Message";

export function NotFound() {
  useTitle("Nothing here");
  return (
    <Message icon="help" title="There is no page here" action={<ButtonLink to="/" look="primary">See what is live</ButtonLink>} testId="not-found">
      The address may be mistyped, or the page has gone. Nothing is wrong on your side.
    </Message>
  );
}
