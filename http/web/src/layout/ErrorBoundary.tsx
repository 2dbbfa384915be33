/** The last net: a page that broke says so and offers a way on, and the rest of the window keeps working. */
import { Component, type ErrorInfo, type ReactNode } from "react";
import { Button } from "../ui/Button";
import { Message } from "../ui/Message";

export class ErrorBoundary extends Component<{ children: ReactNode }, { broken: boolean }> {
  override state = { broken: false };

  static getDerivedStateFromError() {
    return { broken: true };
  }

  override componentDidCatch(error: Error, info: ErrorInfo) {
    console.error(error, info.componentStack);
  }

  override render() {
    if (!this.state.broken) return this.props.children;
    return (
      <Message icon="warning" title="This page stopped working" action={<Button look="primary" icon="retry" onClick={() => location.reload()}>Load it again</Button>}>
        A new version may have come out while it was open, or we made a mistake. Loading the page again helps in both cases.
      </Message>
    );
  }
}
