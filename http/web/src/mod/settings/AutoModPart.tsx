/** How much AutoMod lets through, from nothing asked to nearly nothing let through. */
import { useCallback, useEffect, useId, useState } from "react";
import { fetchRules, saveAutoMod, type AutoMod } from "../../api/channels";
import { asApiError } from "../../api/errors";
import { Button } from "../../ui/Button";
import { useChannel } from "../ChannelContext";
import { useAnswer } from "../useAnswer";
import { span } from "../words";
import { Problem } from "./Problem";

const LEVELS = [
  { name: "Off", what: "Only your own terms are looked at." },
  { name: "A little", what: "Words that put people down for what they are; letters buried under marks." },
  { name: "Some", what: "Also sexual words, messages nearly all in capitals, one word over and over, more than 10 mentions." },
  { name: "More", what: "Also aggression and links; accounts younger than an hour; all limits lower." },
  { name: "Most", what: "Also profanity; accounts younger than a day; the lowest limits, for regulars too." },
] as const;
const AGES = [0, 600, 3600, 86_400, 604_800, 2_592_000];
const BY_LEVEL = -1;

export function AutoModPart({ news }: { news: number }) {
  const { id } = useChannel();
  const question = useCallback((signal: AbortSignal) => fetchRules(id, signal), [id]);
  const rules = useAnswer(question);
  const { again } = rules;
  useEffect(() => {
    if (news > 0) again();
  }, [news, again]);
  if (!rules.value) return <Problem message={rules.problem} onAgain={again} waiting="Reading AutoMod" />;
  return <Levels automod={rules.value.automod} onSaved={again} />;
}

function Levels({ automod, onSaved }: { automod: AutoMod; onSaved: () => void }) {
  const { id, may } = useChannel();
  const [asked, setAsked] = useState<Partial<AutoMod>>({});
  const [problem, setProblem] = useState<string | null>(null);
  const name = useId();
  const shown: AutoMod = { ...automod, ...asked, level: asked.level ?? automod.level ?? 0 };
  const age = shown.account_age_seconds ?? BY_LEVEL;
  const off = !may("settings");
  const change = (part: Partial<AutoMod>) => {
    setAsked(part);
    setProblem(null);
    saveAutoMod(id, { ...shown, ...part }).then(onSaved, (thrown: unknown) => setProblem(asApiError(thrown).message)).finally(() => setAsked({}));
  };
  const ages = age === BY_LEVEL || AGES.includes(age) ? AGES : [...AGES, age].sort((a, b) => a - b);
  return (
    <div className="desk-form">
      <fieldset className="field desk-levels" disabled={off}>
        <legend>Level</legend>
        {LEVELS.map((level, index) => (
          <label key={level.name} className="choice">
            <input type="radio" name={name} checked={shown.level === index} onChange={() => change({ level: index })} />
            <strong>{index} · {level.name}</strong><span>{level.what}</span>
          </label>
        ))}
      </fieldset>
      <label className="desk-label">Hold what accounts younger than this say
        <select className="input" value={age} disabled={off} onChange={(event) => change({ account_age_seconds: Number(event.target.value) === BY_LEVEL ? null : Number(event.target.value) })}>
          <option value={BY_LEVEL}>As the level says</option>
          {ages.map((seconds) => <option key={seconds} value={seconds}>{seconds === 0 ? "Nobody by age" : span(seconds)}</option>)}
        </select>
      </label>
      <label className="desk-label">Links
        <select className="input" value={shown.links ?? ""} disabled={off} onChange={(event) => change({ links: (event.target.value || null) as AutoMod["links"] })}>
          <option value="">As the level says</option><option value="allow">Let through</option><option value="hold">Hold for a moderator</option><option value="refuse">Refuse</option>
        </select>
      </label>
      <Domains key={automod.allowed_domains.join(" ")} domains={automod.allowed_domains} off={off} onSave={(allowed_domains) => change({ allowed_domains })} />
      {problem && <p className="field-error" role="alert">{problem}</p>}
    </div>
  );
}

function Domains({ domains, off, onSave }: { domains: string[]; off: boolean; onSave: (domains: string[]) => void }) {
  const [typed, setTyped] = useState(domains.join("\n"));
  const wanted = [...new Set(typed.split(/[\s,]+/).filter(Boolean))];
  const changed = wanted.join(" ") !== domains.join(" ");
  return (
    <form className="desk-setting" onSubmit={(event) => { event.preventDefault(); if (changed) onSave(wanted); }}>
      <label className="desk-label">Addresses that are always let through, one a line
        <textarea className="input" rows={3} value={typed} disabled={off} placeholder="example.org" onChange={(event) => setTyped(event.target.value)} />
      </label>
      <div><Button small type="submit" disabled={off || !changed}>Save the addresses</Button></div>
    </form>
  );
}
