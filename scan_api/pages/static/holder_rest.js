// What the holder's page has besides the code: the card's face, who scanned, the family, applying,
// phones and data, the ways in without a password, and being installed.

import { Applying } from "./holder_apply.js";
import { DataUses } from "./holder_consents.js";
import { Devices } from "./holder_devices.js";
import { CardFace } from "./holder_face.js";
import { Family } from "./holder_family.js";
import { Home } from "./holder_home.js";
import { Online, PasswordChange } from "./holder_online.js";
import { Scans } from "./holder_scans.js";
import { Sixteen } from "./holder_sixteen.js";
import { makeInstallable } from "./phone/install.js";
import { PhonePanel } from "./phone/panel.js";

export class Rest {
  /**
   * phone: the OfflinePhone. cardNow(): the service's answer on the own card; null without a session.
   * onEnter(number, password), onBack(), onNewPassword(text), onLoss(), onShow(member): what the page
   * does then.
   */
  constructor({ phone, cardNow, onEnter, onBack, onNewPassword, onLoss, onShow }) {
    this.panel = new PhonePanel(phone);
    this.online = new Online({ onDone: onEnter, onBack });
    this.face = new CardFace();
    this.scans = new Scans({ onLoss });
    const devices = new Devices(phone);
    const family = new Family({ onShow });
    const dataUses = new DataUses();
    const applying = new Applying(cardNow);
    const sixteen = new Sixteen();
    const passwordChange = new PasswordChange({ onDone: onNewPassword });
    this.places = {
      ...new Home().places(() => cardNow().card_state),
      card: { show: () => "face", left: covered(this.face) },
      scans: { show: () => shown("scans", this.scans) },
      family: { show: () => shown("family", family, sixteen), left: covered(family, sixteen) },
      apply: { show: () => shown("apply", applying), left: covered(applying) },
      more: {
        show: () => shown("more", devices, dataUses, sixteen),
        left: covered(devices, dataUses, sixteen, passwordChange),
      },
    };
    makeInstallable(document.getElementById("install"));
    this.panel.draw();
    if (cardNow()) this.sees(cardNow());
  }

  /** The service's answer on the own card. */
  sees(card) {
    this.face.show(card);
    this.scans.watch();
  }

  /** Nobody is signed in. */
  forget() {
    this.online.forget();
    this.scans.forget();
  }
}

/** Leaves nothing of these parts on the page. */
const covered = (...parts) => () => {
  for (const part of parts) part.cover();
};

function shown(section, ...parts) {
  for (const part of parts) part.show();
  return section;
}
