"""What can be refused or go wrong with uploads and transcoding, as sentences."""
