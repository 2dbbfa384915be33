/** One screen to go live. */
import { useState } from "react";
import { Navigate } from "react-router";
import { becomeCreator, myStream } from "../api/calls";
import { asApiError } from "../api/errors";
import { useTitle } from "../layout/useTitle";
import { useSession } from "../session/SessionProvider";
import { LiveDesk } from "../studio/LiveDesk";
import { StartForm } from "../studio/StartForm";
import { Button } from "../ui/Button";
import { FormError } from "../ui/Field";
import { Message } from "../ui/Message";
import { PageSkeleton } from "../ui/Skeleton";
import { usePolling } from "./usePolling";
import "../studio/studio.css";

const HEALTH_MS = 3000;

export default function Studio() {
  useTitle("Studio");
  const { user } = useSession();
  if (user === undefined) return <PageSkeleton />;
  if (!user) return <Navigate to="/signin" state={{ from: "/studio" }} replace />;
  return user.role === "creator" || user.role === "admin" ? <Desk /> : <BecomeCreator />;
}

function BecomeCreator() {
  const { begin } = useSession();
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<string | null>(null);
  const become = () => {
    setBusy(true);
    setProblem(null);
    becomeCreator()
      .then(begin)
      .catch((thrown: unknown) => setProblem(asApiError(thrown).message))
      .finally(() => setBusy(false));
  };
  return (
    <Message
      icon="camera" title="Take the stage" testId="become-creator-page"
      action={<><FormError message={problem} /><Button look="primary" busy={busy} onClick={become} data-testid="become-creator">Become a creator</Button></>}
    >
      One press and you can stream with OBS, ffmpeg or anything else that speaks RTMP. It is free, and you can keep watching as before.
    </Message>
  );
}

function Desk() {
  const { value, error, ask } = usePolling((signal) => myStream(signal), HEALTH_MS);
  if (!value && error) {
    return (
      <Message icon="offline" title="The studio could not be loaded" action={<Button look="primary" icon="retry" onClick={ask}>Try again</Button>}>
        {error.message}
      </Message>
    );
  }
  if (!value) return <PageSkeleton />;
  if (value.stream) return <LiveDesk key={value.stream.id} stream={value.stream} health={value.health} onNews={ask} />;
  return <StartForm onStarted={ask} />;
}
