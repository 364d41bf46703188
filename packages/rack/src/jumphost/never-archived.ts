/** Parts of router-backup's state that are copied off site separately, or useless elsewhere. */
export const neverArchived = [
  'repository',
  '.repository.previous',
  'incoming',
  'archives',
  'outgoing',
  'scratch',
  'transcripts',
];
