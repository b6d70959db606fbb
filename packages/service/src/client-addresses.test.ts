import { describe, expect, test } from 'vitest';
import { AddressSettings, addressRule, ClientAddresses } from './client-addresses.ts';
import { readConfig } from './config.ts';

const request = (remoteAddress: string | undefined, forwarded?: string) => ({
  socket: { remoteAddress },
  headers: forwarded === undefined ? {} : { 'x-forwarded-for': forwarded },
});

describe('the address of a client', () => {
  const addresses = new ClientAddresses({ TRUSTED_PROXIES: '10.0.0.0/8, fd00::/8' });

  test.each([
    ['192.0.2.1', undefined, '192.0.2.1'],
    ['::ffff:192.0.2.1', undefined, '192.0.2.1'],
    ['192.0.2.1', '198.51.100.7', '192.0.2.1'],
    ['10.1.2.3', '198.51.100.7', '198.51.100.7'],
    ['::ffff:10.1.2.3', '198.51.100.7', '198.51.100.7'],
    ['fd00::5', '198.51.100.7', '198.51.100.7'],
    ['10.1.2.3', 'forged, 198.51.100.7, 10.9.9.9', '198.51.100.7'],
    ['10.1.2.3', '1.1.1.1, 198.51.100.7', '198.51.100.7'],
    ['10.1.2.3', undefined, '10.1.2.3'],
    ['10.1.2.3', 'nonsense', 'unknown'],
    ['10.1.2.3', '2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
    ['2001:db8:1:2::9', undefined, '2001:db8:1:2::/64'],
    [undefined, undefined, 'unknown'],
  ])('from %s, forwarded for %s, is %s', (remote, forwarded, address) => {
    expect(addresses.of(request(remote, forwarded))).toBe(address);
  });

  test('is proxied only by a trusted proxy', () => {
    expect(addresses.isProxied(request('10.1.2.3'))).toBe(true);
    expect(addresses.isProxied(request('192.0.2.1', '10.1.2.3'))).toBe(false);
    expect(new ClientAddresses({}).isProxied(request('127.0.0.1'))).toBe(false);
  });
});

describe('the names under which a client asks', () => {
  const addresses = new ClientAddresses({ TRUSTED_PROXIES: '10.0.0.0/8' });
  const names = (remoteAddress: string, headers: Record<string, string>) =>
    addresses.namesOf({ socket: { remoteAddress }, headers });

  test('are that of Host, and what a trusted proxy forwards', () => {
    const headers = { host: 'gw:9001', 'x-forwarded-host': 'shop.test:8080, inner.test' };
    expect(names('10.1.2.3', headers)).toEqual(['gw:9001', 'shop.test:8080', 'inner.test']);
    expect(names('192.0.2.1', headers)).toEqual(['gw:9001']);
    expect(names('192.0.2.1', {})).toEqual([]);
    expect(new ClientAddresses({}).namesOf({ ...request('192.0.2.1'), headers })).toEqual([
      'gw:9001',
    ]);
  });

  test('are at most 8', () => {
    const forwarded = Array.from({ length: 1000 }, (_, index) => `h${index}`).join();
    expect(names('10.1.2.3', { host: 'gw', 'x-forwarded-host': forwarded })).toHaveLength(8);
  });
});

test('an entry of TRUSTED_PROXIES that is no address is refused by name', () => {
  const read = (value: string) =>
    readConfig(AddressSettings, { TRUSTED_PROXIES: value }, [addressRule]);
  expect(read('loopback,10.0.0.0/8')).toEqual({ TRUSTED_PROXIES: 'loopback,10.0.0.0/8' });
  expect(() => read('10.0.0.0/8,nginx')).toThrow(/TRUSTED_PROXIES invalid IP address: nginx/);
  expect(() => read('10.0.0.0/64')).toThrow(/TRUSTED_PROXIES invalid range/);
});
