import { serve } from '../../worker/serve.ts';
import { DeliveryTimes } from './delivery-times.ts';

interface Watched {
  /** The URL of a gateway. */
  readonly gateway: string;
  readonly token: string;
}

let times: DeliveryTimes | undefined;

/** The commands of the process whose client is timed. It does nothing else that could delay it. */
const commands = {
  watch: async ({ gateway, token }: Watched): Promise<void> => {
    times = await DeliveryTimes.watch(gateway, token);
  },
  take: (_: object): number[] => times?.take() ?? [],
};
export type WatchCommands = typeof commands;

serve(commands);
