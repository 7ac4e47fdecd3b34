/** Names the ssh key that a request to the control API comes by; deploy/hook.ts, which imports nothing, has it too. */
export const keyHeader = 'fnrun-key';
