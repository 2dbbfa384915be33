output "inbox_url" {
  description = "FOOTLIGHT_MEDIACONVERT_INBOX of API and workers, which also need sqs:SendMessage on it."
  value       = aws_sqs_queue.inbox.url
}

output "inbox_arn" {
  value = aws_sqs_queue.inbox.arn
}

output "queue_arn" {
  description = "FOOTLIGHT_MEDIACONVERT_QUEUE. Workers need mediaconvert:CancelJob on its jobs."
  value       = aws_media_convert_queue.this.arn
}

output "service_role_arn" {
  description = "FOOTLIGHT_MEDIACONVERT_ROLE."
  value       = aws_iam_role.service.arn
}
