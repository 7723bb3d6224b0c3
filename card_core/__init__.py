"""What a card, an e-card and a code are, and the kernel through which every act goes."""
