/** The channels one moderates, each with the way to its desk. */
import { Link } from "react-router";
import { fetchModerated } from "../api/channels";
import { usePolling } from "../pages/usePolling";
import { Button, ButtonLink } from "../ui/Button";
import { Message } from "../ui/Message";
import { PageSkeleton } from "../ui/Skeleton";

const REFRESH_MS = 15_000;

export function DeskList() {
  const { value, error, ask } = usePolling(fetchModerated, REFRESH_MS);
  if (!value && !error) return <PageSkeleton />;
  if (!value) return <Message icon="offline" title="Your channels could not be loaded" action={<Button look="primary" icon="retry" onClick={ask}>Try again</Button>}>{error?.message}</Message>;
  if (value.channels.length === 0) return <Message icon="key" title="You moderate no channel yet" testId="desks-empty" action={<ButtonLink to="/">See what is live</ButtonLink>}>A broadcaster can appoint you; their channel is then listed here.</Message>;
  return (
    <div className="page stack" data-testid="desks">
      <h1>Moderators&apos; desks</h1>
      <ul className="stack">
        {value.channels.map((channel) => (
          <li key={channel.id}>
            <Link to={`/mod/${channel.id}`}>{channel.display_name}</Link> {channel.role === "creator" && <span className="muted small">your channel</span>} {channel.live_stream_id && <span className="badge badge-live">Live</span>}
          </li>
        ))}
      </ul>
    </div>
  );
}
