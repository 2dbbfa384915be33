variable "name" {
  description = "Prefix of everything made here, such as footlight-production."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{2,40}$", var.name))
    error_message = "Lower case letters, digits and dashes, 3 to 41 of them."
  }
}

variable "bucket" {
  description = "Name of the bucket of media, which exists already."
  type        = string
}

variable "image" {
  description = "Container image of the function, by digest (infra/terraform/vod/Dockerfile)."
  type        = string

  validation {
    condition     = can(regex("@sha256:[0-9a-f]{64}$", var.image))
    error_message = "Name the image by its digest."
  }
}

variable "subnet_ids" {
  description = "Private subnets from which PostgreSQL, MongoDB, Redis and the broker can be reached."
  type        = list(string)

  validation {
    condition     = length(var.subnet_ids) >= 2
    error_message = "At least two, in different zones."
  }
}

variable "security_group_ids" {
  description = "Groups that the stores let in."
  type        = list(string)
}

variable "environment" {
  description = "Settings of Footlight (see .env.example) that are no secrets."
  type        = map(string)
  default     = {}
}

variable "secret_arn" {
  description = "Secret in Secrets Manager: a JSON object of the settings that are secret, by their names."
  type        = string
}

variable "alarm_topic_arns" {
  description = "Where alarms are sent."
  type        = list(string)
  default     = []
}

variable "functions_at_once" {
  description = "Most functions that run at the same time; each holds connections to the stores."
  type        = number
  default     = 10

  validation {
    condition     = var.functions_at_once >= 2 && var.functions_at_once <= 100
    error_message = "From 2 to 100."
  }
}
