/** Copies a text and says so in its own label, without changing its width. */
import { useState } from "react";
import { Button } from "./Button";
import { useToast } from "./Toasts";

interface CopyProps {
  text: string;
  /** What is copied, for people who do not see where the button stands. */
  what: string;
  label?: string;
  icon?: "copy" | "share";
}

export function CopyButton({ text, what, label = "Copy", icon = "copy" }: CopyProps) {
  const [copied, setCopied] = useState(false);
  const toast = useToast();
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(text);
    } catch {
      toast(`Your browser does not let pages copy. Select the ${what} and copy it by hand.`, "problem");
      return;
    }
    setCopied(true);
    setTimeout(() => setCopied(false), 2000);
    toast(`Copied the ${what}.`);
  };
  return (
    <Button small icon={copied ? "check" : icon} onClick={() => void copy()} aria-label={`${label} (${what})`}>{label}</Button>
  );
}
