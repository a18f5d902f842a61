"""Papers: PDFs and pictures read in processes of their own, and what they show beside what is signed."""
