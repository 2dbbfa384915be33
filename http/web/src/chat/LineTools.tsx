/** The buttons of the line one points at or has chosen. While the pointer is on them, the list stands still. */
import type { Acted, Me } from "../realtime/events";
import type { Said } from "../realtime/fold";
import type { Act } from "../realtime/useRoom";
import { Icon } from "../ui/icons";
import { LineMenu } from "./LineMenu";
import { powersOver } from "./powers";

interface ToolsProps {
  line: Said;
  you: Me | null;
  list: {
    act?: Act;
    onReply?: (line: Said) => void;
    onActed?: (acted: Acted) => void;
    onProblem?: (words: string) => void;
  };
  onStill: () => void;
}

export function LineTools({ line, you, list, onStill }: ToolsProps) {
  const powers = powersOver(you, line);
  const { act, onReply, onActed, onProblem } = list;
  const copy = () => void navigator.clipboard?.writeText(line.text).catch(() => onProblem?.("The text could not be copied."));
  return (
    <span className="line-tools" onPointerEnter={onStill} onFocus={onStill}>
      {powers.reply && onReply && (
        <button type="button" className="line-tool" aria-label={`Answer ${line.user.name}`} title="Answer (R)" onClick={() => onReply(line)} data-testid="line-reply"><Icon name="reply" size={16} /></button>
      )}
      <button type="button" className="line-tool" aria-label={`Copy what ${line.user.name} said`} title="Copy" onClick={copy}><Icon name="copy" size={16} /></button>
      {act && (powers.moderate || powers.pin) && (
        <LineMenu line={line} you={you} act={act} onActed={onActed ?? (() => {})} onProblem={onProblem ?? (() => {})} onOpen={(open) => open && onStill()} />
      )}
    </span>
  );
}
