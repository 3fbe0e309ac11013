// Says that a list is held still, and that more has come.

export function Paused({ isHeld }: { isHeld: boolean }) {
  return isHeld ? <span className="rc-badge rc-tone-accent">Paused while you read</span> : null;
}
