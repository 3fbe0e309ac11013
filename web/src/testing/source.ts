// The browser's `EventSource`, played by a test: it hears what it was told to listen for.

export class FakeSource {
  readonly url: string;
  isClosed = false;
  readonly #events = new EventTarget();

  constructor(url: string) {
    this.url = url;
  }

  addEventListener(name: string, listener: (event: MessageEvent<string>) => void): void {
    this.#events.addEventListener(name, (event) => listener(event as MessageEvent<string>));
  }

  close(): void {
    this.isClosed = true;
  }

  open(): void {
    this.#events.dispatchEvent(new Event("open"));
  }

  /** A message of the stream, if it is still open. */
  say(type: string, data: unknown, lastEventId: string): void {
    if (this.isClosed) return;
    this.#events.dispatchEvent(new MessageEvent(type, { data: JSON.stringify(data), lastEventId }));
  }

  fail(): void {
    this.#events.dispatchEvent(new Event("error"));
  }
}
