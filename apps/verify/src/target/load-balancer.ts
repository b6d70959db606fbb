/** What clients connect to instead of the gateways. */
export interface LoadBalancer extends AsyncDisposable {
  readonly url: string;
  /** From here on these are the gateways that newcomers are sent to. */
  route(urls: readonly string[]): Promise<void>;
}
