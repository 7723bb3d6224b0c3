"""A batch's way from its numbers to its cards: bank, maker, branches. docs/making.md tells it.

    bank_files      the pre-opening file out, the bank's return in
    keys            master keys and transport keys, by name
    personalising   what is written into a card, from the card and its holder
    preparing       an order's records written down and signed, chunk by chunk, in many processes
    maker_files     the maker file out, the maker's return in

The acts are the kernel's (`acts.banking`, `acts.making`, `acts.maker_returns`,
`acts.handing_over`); the layouts are `issuance.card_files`.
"""
