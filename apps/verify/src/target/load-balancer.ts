/** A load balancer that clients connect to. */
export interface LoadBalancer extends AsyncDisposable {
  readonly url: string;
  /** Sends new connections to these gateways from now on. */
  route(urls: readonly string[]): Promise<void>;
}
