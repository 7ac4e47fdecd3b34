import { isAtLeast } from '../../versions.ts';
import { directive, type Item } from '../directive.ts';
import type { NginxFacts } from '../facts.ts';

/**
 * Mozilla's intermediate configuration: TLS 1.2 with forward secrecy and AEAD only, and 1.3. Since version 5.8 of its
 * guidelines without finite-field Diffie-Hellman and with a key exchange that outlives quantum computers.
 */
export function tlsItems({ tls, build }: NginxFacts): Item[] {
  if (tls === null) return [];
  const hybrid = build.openssl !== null && isAtLeast(build.openssl, '3.5.0');
  return [
    { title: "--- TLS: Mozilla's intermediate configuration ---" },
    directive(
      'ssl_protocols',
      ['TLSv1.2', 'TLSv1.3'],
      'older ones are broken, and no client of the last ten years needs them',
    ),
    directive(
      'ssl_ciphers',
      [
        [
          'ECDHE-ECDSA-AES128-GCM-SHA256',
          'ECDHE-RSA-AES128-GCM-SHA256',
          'ECDHE-ECDSA-AES256-GCM-SHA384',
          'ECDHE-RSA-AES256-GCM-SHA384',
          'ECDHE-ECDSA-CHACHA20-POLY1305',
          'ECDHE-RSA-CHACHA20-POLY1305',
        ].join(':'),
      ],
      'of TLS 1.2: forward secrecy and authenticated encryption, nothing else',
    ),
    directive('ssl_prefer_server_ciphers', ['off'], 'all of them are good: the client knows which is fast on it'),
    directive(
      'ssl_ecdh_curve',
      [[...(hybrid ? ['X25519MLKEM768'] : []), 'X25519', 'prime256v1', 'secp384r1'].join(':')],
      hybrid
        ? 'what is recorded today shall not be readable for the quantum computer of tomorrow'
        : 'without X25519MLKEM768, which needs OpenSSL 3.5: with an unknown curve nginx does not start',
    ),
    directive('ssl_session_cache', ['shared:fnrun_tls:10m'], 'some 40,000 sessions, for all processes'),
    directive('ssl_session_timeout', ['1d']),
    directive('ssl_session_tickets', ['off'], 'their key stays the same until a restart, which undoes forward secrecy'),
    {
      leftOut: 'ssl_stapling',
      reason: "Let's Encrypt and others have ended OCSP; nginx warns about a certificate without a responder",
    },
    {
      leftOut: 'http2_max_concurrent_streams',
      reason: 'its default of 128 is right: less slows pages down, more serves floods of resets',
    },
  ];
}
