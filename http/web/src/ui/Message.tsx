/** A state that fills a page: nothing here, something failed, it is over. Always with what to do next. */
import type { ReactNode } from "react";
import { Icon, type IconName } from "./icons";
import "./message.css";

interface MessageProps {
  icon: IconName;
  title: string;
  children: ReactNode;
  action?: ReactNode;
  level?: 1 | 2;
  testId?: string;
}

export function Message({ icon, title, children, action, level = 1, testId }: MessageProps) {
  const Heading = level === 1 ? "h1" : "h2";
  return (
    <section className="message" data-testid={testId}>
      <span className="message-icon"><Icon name={icon} size={28} /></span>
      <Heading>{title}</Heading>
      <p className="muted">{children}</p>
      {action && <div className="row message-action">{action}</div>}
    </section>
  );
}
