"""What the pages weigh, how soon a code is on the screen, and how well it is read from there."""
