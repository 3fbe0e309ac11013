// The browser's `EventSource`, played by a test: it hears what it was told to listen for.

export class FakeSource extends EventTarget {
  readonly url: string;
  isClosed = false;

  constructor(url: string) {
    super();
    this.url = url;
  }

  close(): void {
    this.isClosed = true;
  }

  open(): void {
    this.dispatchEvent(new Event("open"));
  }

  /** A message of the stream, if it is still open. */
  say(type: string, data: unknown, lastEventId: string): void {
    if (this.isClosed) return;
    this.dispatchEvent(new MessageEvent(type, { data: JSON.stringify(data), lastEventId }));
  }

  fail(): void {
    this.dispatchEvent(new Event("error"));
  }
}
