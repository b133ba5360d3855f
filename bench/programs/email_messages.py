"""Write and read e-mail messages with the standard library's pure Python code: headers, parts, encodings."""

from __future__ import annotations

import random
from email import message_from_bytes, policy
from email.message import EmailMessage

from _program import Checksum, Scale, run


def make_message(chance: random.Random, number: int) -> EmailMessage:
    message = EmailMessage()
    message["From"] = f"Zoë Example <zoe{number}@example.org>"
    readers = [chance.randrange(900) for _ in range(4)]
    message["To"] = ", ".join(f"Reader {reader} <reader{reader}@example.net>" for reader in readers)
    message["Subject"] = f"Über die Höhe des Wassers, no. {number}: {'long words ' * (number % 5)}"
    message["Date"] = f"Wed, 22 Nov 2023 17:{number % 60:02}:00 +0100"
    message["Message-ID"] = f"<{number}.{chance.randrange(10**9)}@example.org>"
    message.set_content("".join(f"line {line} of the message, número {chance.randrange(999)}\n" for line in range(30)))
    if number % 2:
        # The boundary is random unless it is set, and the text must be the same in every run.
        attachment = chance.randrange(256**600).to_bytes(600, "big")
        message.add_attachment(attachment, maintype="application", subtype="octet-stream")
        message.set_boundary(f"=====boundary{number}==")
    return message


def main(scale: Scale, checksum: Checksum) -> None:
    chance = random.Random(19)
    mailbox = []
    for number in range(scale(330)):
        data = make_message(chance, number).as_bytes()
        checksum.add_bytes(data)
        message = message_from_bytes(data, policy=policy.default)
        checksum.add(str(message["subject"]), [address.addr_spec for address in message["to"].addresses])
        for part in message.walk():
            if not part.is_multipart():
                checksum.add(part.get_content())
        mailbox.append(message)
    checksum.add(len(mailbox))


run(main)
