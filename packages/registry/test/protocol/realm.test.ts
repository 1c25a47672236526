// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import { decideRealm } from '../../src/protocol/realm.ts';

const decide = (registry: string, realm: string, trusted: readonly string[] = []) =>
  decideRealm(realm, new URL(registry), trusted).kind;

describe('decideRealm', () => {
  it.each([
    ['https://registry-1.docker.io', 'https://auth.docker.io/token'],
    ['https://ghcr.io', 'https://ghcr.io/token'],
    ['https://registry.gitlab.com', 'https://gitlab.com/jwt/auth'],
    ['https://registry.redhat.io', 'https://sso.redhat.com/auth'],
    ['https://registry.example.co.uk', 'https://auth.example.co.uk/token'],
    ['https://10.0.0.5:5000', 'https://10.0.0.5:5000/token'],
    ['https://10.0.0.5:5000', 'https://10.0.0.5:5001/token'],
    ['http://127.0.0.1:5000', 'http://127.0.0.1:5000/token'],
    ['https://me.azurecr.io', 'https://me.azurecr.io/oauth2/token'],
    ['https://registry.example.com', 'https://registry.example.com:8443/token'],
  ])('%s trusts %s', (registry, realm) => {
    expect(decide(registry, realm)).toBe('trusted');
  });

  it.each([
    ['https://registry.example.com', 'https://evil.example/token'],
    ['https://registry-1.docker.io', 'https://evildocker.io/token'],
    ['https://registry-1.docker.io', 'https://docker.io.evil.example/token'],
    ['https://me.azurecr.io', 'https://other.azurecr.io/token'],
    ['https://a.co.uk', 'https://b.co.uk/token'],
    ['https://registry.10-0-0-5.nip.io', 'https://10-9-9-9.nip.io/token'],
    ['https://me.ts.net', 'https://other.ts.net/token'],
    ['http://127.0.0.1:5000', 'http://127.0.0.1:5001/token'],
    ['https://1.2.3.4', 'https://9.9.3.4/token'],
    ['https://10.0.0.5:5000', 'https://192.168.7.7/token'],
  ])('%s gets no credentials sent to %s', (registry, realm) => {
    expect(decide(registry, realm)).toBe('anonymous');
  });

  it.each([
    ['https://registry.example.com', 'http://registry.example.com/token'],
    ['https://registry.example.com', 'https://127.0.0.1/token'],
    ['https://registry.example.com', 'https://localhost/token'],
    ['https://registry.example.com', 'https://169.254.169.254/latest/meta-data'],
    ['https://registry.example.com', 'https://[::1]/token'],
    ['https://registry.example.com', 'https://[::ffff:127.0.0.1]/token'],
    ['https://registry.example.com', 'https://0.0.0.0/token'],
    ['https://registry.example.com', 'https://2130706433/token'],
    ['https://registry.example.com', 'https://192.168.0.1/token'],
    ['https://10.0.0.5:5000', 'https://127.0.0.1/token'],
    ['https://10.0.0.5:5000', 'https://169.254.169.254/latest/meta-data'],
    ['https://169.254.1.1', 'https://169.254.169.254/latest/meta-data'],
    ['https://registry.example.com', 'https://user:pass@registry.example.com/token'],
    ['https://registry.example.com', 'file:///etc/passwd'],
    ['https://registry.example.com', '/token'],
    ['https://registry.example.com', ''],
    ['http://127.0.0.1:5000', 'http://evil.example/token'],
  ])('%s may not send the client to %s', (registry, realm) => {
    expect(decide(registry, realm)).toBe('refused');
  });

  it('trusts what the user lists, by host and port', () => {
    expect(decide('https://registry.example.com', 'https://sso.corp.example/token', ['sso.corp.example'])).toBe(
      'trusted',
    );
    expect(decide('https://registry.example.com', 'https://sso.corp.example:444/token', ['sso.corp.example'])).toBe(
      'anonymous',
    );
    expect(decide('https://registry.example.com', 'http://sso.corp.example/token', ['sso.corp.example'])).toBe(
      'refused',
    );
    // Also where no registry may send the client by itself.
    expect(decide('https://registry.example.com', 'https://10.0.0.9/token', ['10.0.0.9'])).toBe('trusted');
    expect(decide('https://registry.example.com', 'http://10.0.0.9/token', ['10.0.0.9'])).toBe('refused');
  });
});
