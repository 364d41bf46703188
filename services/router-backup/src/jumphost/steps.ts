/** How an archive of the jumphost is restored: by an operator, with the key that is not in the rack. */

import type { Version } from '@skolo/backup';
import type { RestoreStep } from '@skolo/models/backup';

export function jumphostSteps({ device, id }: Version) {
  const file = `${device}.tar.gz.age`;
  const steps: RestoreStep[] = [
    {
      title: 'Get the archive',
      where: 'desk',
      lines: [`skolo backup show ${device} --version ${id} --secrets -o ${file}`],
    },
    {
      title: 'Decrypt it with the age identity of one of the recipients, and look into it',
      where: 'desk',
      lines: [`age -d -i IDENTITY-FILE ${file} | tar -tzf -`],
    },
    {
      title: 'On the new jumphost, before k3s and the services are started',
      where: 'device',
      lines: [`age -d -i IDENTITY-FILE ${file} | tar -xzpf - -C /`],
    },
  ];
  return { comment: '#', steps, canApply: false, canCheck: false };
}
